// SPDX-License-Identifier: Apache-2.0
#include "partition/frame_clock.hpp"

#include <gtest/gtest.h>

#include "core/small_graphs.hpp"

namespace strake::partition {
namespace {

// Two tensors that rank 0 has at first, and whoever reads them takes no time. A message takes 5 us and 0.1 us a byte.
class Ports : public testing::Test {
 protected:
  explicit Ports(std::vector<std::string> hosts = {"a", "b", "c", "d"}) {
    first_ = test::add_input(graph_, {1, 1, 8, 8});
    second_ = test::add_input(graph_, {1, 1, 8, 8});
    reader_ = test::add_op(graph_, {first_, second_}, Binary{.kind = BinaryKind::add, .post_ops = {}});
    test::add_output(graph_, reader_);
    profile_.links.assign(hosts.size(), std::vector<Link>(hosts.size(), Link{5, 0.1}));
    const OpCost nothing{.extents = {8}, .microseconds = {0}};
    for (const std::string& host : hosts) profile_.ranks.push_back({.host = host, .ops = {{}, {}, nothing}});
  }

  // When `rank` has what `sent` brings it, [tensor] messages that all leave when their ranks' clocks stand at 0.
  double there_us(int rank, std::vector<std::vector<Message>> sent) {
    const CostModel costs(graph_, profile_);
    FrameClock clock(costs);
    clock.send(first_, sent.front());
    if (sent.size() > 1) clock.send(second_, sent.back());
    return clock.compute(rank, reader_, {first_, second_}, {}, Overlap::none).begin_us;
  }

  Graph graph_;
  Profile profile_{.model = {}, .axis = SplitAxis::rows, .ranks = {}, .links = {}};
  OpId first_ = 0;
  OpId second_ = 0;
  OpId reader_ = 0;
};

TEST_F(Ports, AreSharedEvenlyByWhatLeavesTogether) {
  const std::vector<Message> scatter{{0, 1, 300}, {0, 2, 100}};
  // At half the rate each until 100 bytes of both are out, at 20 us; then 200 bytes alone.
  EXPECT_DOUBLE_EQ(there_us(2, {scatter}), 20 + 5);
  EXPECT_DOUBLE_EQ(there_us(1, {scatter}), 20 + 20 + 5);
  // What comes later queues behind all of that.
  EXPECT_DOUBLE_EQ(there_us(3, {scatter, {{0, 3, 100}}}), 40 + 10 + 5);
}

TEST_F(Ports, LetOneMessageAfterTheOtherIn) {
  EXPECT_DOUBLE_EQ(there_us(0, {{{1, 0, 100}, {2, 0, 100}, {3, 0, 100}}}), 30 + 5);
}

TEST_F(Ports, AreAllBusyWhileAllSendToAll) {
  std::vector<Message> all;
  for (int src = 0; src < 4; ++src)
    for (int dst = 0; dst < 4; ++dst)
      if (src != dst) all.push_back({src, dst, 100});
  // Each has three messages to send and three to receive, of 10 us each.
  for (int rank = 0; rank < 4; ++rank) EXPECT_DOUBLE_EQ(there_us(rank, {all}), 30 + 5);
}

TEST_F(Ports, CarryMessagesBothWaysAtOnce) {
  EXPECT_DOUBLE_EQ(there_us(0, {{{0, 1, 100}, {1, 0, 100}}}), 10 + 5);
  EXPECT_DOUBLE_EQ(there_us(1, {{{0, 1, 100}, {1, 0, 100}}}), 10 + 5);
}

TEST_F(Ports, AreHardlyHeldUpBySlowLinks) {
  profile_.links[0][1].us_per_byte = profile_.links[1][0].us_per_byte = 10;
  for (std::size_t other : {2U, 3U}) profile_.links[1][other].us_per_byte = profile_.links[other][1].us_per_byte = 10;
  const std::vector<Message> both{{0, 1, 100}, {0, 2, 100}};
  EXPECT_DOUBLE_EQ(there_us(1, {both}), 1000 + 5);
  EXPECT_DOUBLE_EQ(there_us(2, {both}), 10 + 5);
}

TEST_F(Ports, MayBeOneMedium) {
  const std::vector<Message> pairs{{0, 1, 100}, {2, 3, 100}};
  EXPECT_DOUBLE_EQ(there_us(3, {pairs}), 10 + 5);
  profile_.medium = Medium::shared;
  EXPECT_DOUBLE_EQ(there_us(1, {pairs}), 10 + 5);
  EXPECT_DOUBLE_EQ(there_us(3, {pairs}), 20 + 5);
}

class OneHost : public Ports {
 protected:
  OneHost() : Ports({"a", "a", "a"}) {}
};

TEST_F(OneHost, HasNoPortBetweenItsRanks) {
  const std::vector<Message> scatter{{0, 1, 100}, {0, 2, 100}};
  EXPECT_DOUBLE_EQ(there_us(1, {scatter}), 10 + 5);
  EXPECT_DOUBLE_EQ(there_us(2, {scatter}), 10 + 5);
}

}  // namespace
}  // namespace strake::partition

// SPDX-License-Identifier: Apache-2.0
#include "partition/timeline.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/small_graphs.hpp"

namespace strake::partition {
namespace {

using test::add_conv3;
using test::add_input;
using test::add_output;

// An input of 8 rows, 4 bytes each, and two 3x3 convolutions of 8 rows, 4 bytes each. Rank 0 takes 10 us a row, rank 1
// 20 us; a message takes 8 us, of which its sender is busy with a quarter, and 0.5 us a byte.
class TwoRanks : public testing::Test {
 protected:
  TwoRanks() {
    OpId last = add_input(graph_, {1, 1, 8, 1});
    for (int i = 0; i < 2; ++i) last = add_conv3(graph_, last, 1);
    add_output(graph_, last);
    Profile profile{.model = {}, .axis = SplitAxis::rows, .ranks = {}, .links = {}};
    for (const double us : {80.0, 160.0}) {
      const OpCost cost{.extents = {8}, .microseconds = {us}};
      profile.ranks.push_back({.host = {}, .ops = {{}, cost, cost}});
      profile.links.push_back({{8, 0.5, 1, 0.25}, {8, 0.5, 1, 0.25}});
    }
    profile.links[0][0] = profile.links[1][1] = {};
    costs_ = std::make_unique<CostModel>(graph_, profile);
    plan_ = empty_plan(graph_, 2);
    for (OpId id = 1; id < 3; ++id) {
      plan_.boxes(id, 0) = {with_axis(whole(graph_.shape(id)), 2, {0, 5})};
      plan_.boxes(id, 1) = {with_axis(whole(graph_.shape(id)), 2, {5, 8})};
    }
  }

  Graph graph_;
  std::unique_ptr<CostModel> costs_;
  Plan plan_;
};

TEST_F(TwoRanks, WaitForHalos) {
  const Timeline timeline = evaluate(*costs_, plan_);
  // Rank 0 sends rows 4 to 7 (16 bytes): busy until 1 + 4, and they arrive at 8 + 8.
  ASSERT_EQ(timeline.ranks[0].size(), 3U);  // the input is a step without time
  ASSERT_EQ(timeline.ranks[1].size(), 2U);
  EXPECT_DOUBLE_EQ(timeline.ranks[1][0].begin_us, 16);
  EXPECT_DOUBLE_EQ(timeline.ranks[1][0].end_us, 16 + 60);
  EXPECT_DOUBLE_EQ(timeline.ranks[0][1].begin_us, 5);
  EXPECT_DOUBLE_EQ(timeline.ranks[0][1].end_us, 55);
  // Then row 4 leaves rank 0, busy until 57, and row 5 rank 1, which is busy until 78; it arrives at 76 + 2 + 8.
  EXPECT_DOUBLE_EQ(timeline.ranks[0][2].wait_us, 86 - 57);
  EXPECT_DOUBLE_EQ(timeline.ranks[0][2].begin_us, 86);
  EXPECT_DOUBLE_EQ(timeline.ranks[1][1].begin_us, 78);
  EXPECT_DOUBLE_EQ(timeline.ranks[1][1].wait_us, 0);
  EXPECT_DOUBLE_EQ(timeline.ranks[1][1].end_us, 138);
  // 12 bytes of the output arrive at 138 + 6 + 8; rank 0 was done at 136.
  EXPECT_DOUBLE_EQ(timeline.makespan_us, 152);
  EXPECT_DOUBLE_EQ(timeline.compute_us[0], 100);
  EXPECT_DOUBLE_EQ(timeline.compute_us[1], 120);
  EXPECT_DOUBLE_EQ(timeline.wait_us[0], 29 + 16);
  EXPECT_DOUBLE_EQ(timeline.wait_us[1], 16);
  EXPECT_DOUBLE_EQ(timeline.sent_bytes[0], 16 + 4);
  EXPECT_DOUBLE_EQ(timeline.sent_bytes[1], 4 + 12);
}

TEST_F(TwoRanks, RoundWhatTheySend) {
  Profile profile = costs_->profile();
  profile.transfer_type = TransferType::bf16;
  for (RankProfile& rank : profile.ranks) {
    rank.encode_us_per_byte = 0.125;
    rank.decode_us_per_byte = 0.0625;
  }
  const Timeline timeline = evaluate(CostModel(graph_, profile), plan_);
  // Rank 0 rounds rows 4 to 7 of the input (16 bytes) in 2 us and sends 8: busy for 1 + 2 more, and they arrive at
  // 2 + 4 + 8. Rank 1 widens them in 1 us.
  EXPECT_DOUBLE_EQ(timeline.ranks[0][1].begin_us, 5);
  EXPECT_DOUBLE_EQ(timeline.ranks[1][0].begin_us, 15);
  EXPECT_DOUBLE_EQ(timeline.ranks[1][0].wait_us, 15);
  // Row 5 leaves rank 1, which is done at 75: rounded at 75.5, it arrives at 75.5 + 1 + 8 and is widened in 0.25.
  EXPECT_DOUBLE_EQ(timeline.ranks[0][2].begin_us, 84.75);
  // Rank 1 goes on at 75.5 + 1.5 and widens row 4, which is long there. Its 12 bytes are rounded at 137.25 + 1.5,
  // arrive at 138.75 + 3 + 8 and are widened in 0.75.
  EXPECT_DOUBLE_EQ(timeline.ranks[1][1].begin_us, 77.25);
  EXPECT_DOUBLE_EQ(timeline.makespan_us, 150.5);
  EXPECT_DOUBLE_EQ(timeline.sent_bytes[0], 8 + 2);
  EXPECT_DOUBLE_EQ(timeline.sent_bytes[1], 2 + 6);
}

TEST_F(TwoRanks, RoundNothingWithinAHost) {
  Profile profile = costs_->profile();
  profile.transfer_type = TransferType::bf16;
  for (RankProfile& rank : profile.ranks) rank.encode_us_per_byte = rank.decode_us_per_byte = 1;
  profile.links[0][1].same_host = profile.links[1][0].same_host = true;
  EXPECT_DOUBLE_EQ(evaluate(CostModel(graph_, profile), plan_).makespan_us, 152);
}

TEST_F(TwoRanks, WaitForTheLaterOfTwoTimesThatVary) {
  Profile profile = costs_->profile();
  for (RankProfile& rank : profile.ranks) rank.jitter_us = 0.32;
  for (RankProfile& rank : profile.ranks) rank.ops[1].microseconds = rank.ops[2].microseconds = {80};
  profile.links = {{{}, {}}, {{}, {}}};
  const CostModel costs(graph_, profile);
  for (OpId id = 1; id < 3; ++id) {
    plan_.boxes(id, 0) = {with_axis(whole(graph_.shape(id)), 2, {0, 4})};
    plan_.boxes(id, 1) = {with_axis(whole(graph_.shape(id)), 2, {4, 8})};
  }
  const Timeline timeline = evaluate(costs, plan_);
  // Both have computed 40 us with a variance of 12.8 us^2 each; the mean of max(0, X) of a normal X of mean 0 and
  // variance 25.6 is sqrt(25.6 / (2 pi)).
  const double later = std::sqrt(25.6 / (2 * std::numbers::pi));
  EXPECT_DOUBLE_EQ(timeline.ranks[0][2].begin_us, 40 + later);
  EXPECT_DOUBLE_EQ(timeline.ranks[1][1].begin_us, 40 + later);
  // They go on together, compute as long again, and rank 0 waits for the last rows.
  EXPECT_DOUBLE_EQ(timeline.makespan_us, 80 + 2 * later);
  EXPECT_NEAR(timeline.wait_us[0], 2 * later, 1e-9);
}

TEST_F(TwoRanks, DoNotWaitForWhatIsSurelyThere) {
  Profile profile = costs_->profile();
  for (RankProfile& rank : profile.ranks) rank.jitter_us = 0.01;
  // The halos arrive 29 us after rank 0 is ready, and long before rank 1 is: the deviations are below a microsecond.
  const Timeline timeline = evaluate(CostModel(graph_, profile), plan_);
  EXPECT_DOUBLE_EQ(timeline.ranks[0][2].wait_us, 86 - 57);
  EXPECT_DOUBLE_EQ(timeline.ranks[1][1].wait_us, 0);
}

TEST_F(TwoRanks, ComputeTheInteriorMeanwhile) {
  plan_.overlap[2] = Overlap::interior_first;
  const Timeline timeline = evaluate(*costs_, plan_);
  // Rank 0 computes rows 0 to 3 from 57 to 97, when the halo has long arrived, and then row 4.
  EXPECT_DOUBLE_EQ(timeline.ranks[0][2].wait_us, 0);
  EXPECT_DOUBLE_EQ(timeline.ranks[0][2].end_us, 107);
  EXPECT_DOUBLE_EQ(timeline.compute_us[0], 100);
}

TEST_F(TwoRanks, WaitBehindTheInteriorForTheRest) {
  plan_.overlap[2] = Overlap::interior_first;
  for (OpId id = 1; id < 3; ++id) {
    plan_.boxes(id, 0) = {with_axis(whole(graph_.shape(id)), 2, {0, 2})};
    plan_.boxes(id, 1) = {with_axis(whole(graph_.shape(id)), 2, {2, 8})};
  }
  const Timeline timeline = evaluate(*costs_, plan_);
  // Rank 1 has its halo of 28 bytes at 14 + 8 and is done with 6 rows at 142; row 2 is with rank 0 at 152.
  EXPECT_DOUBLE_EQ(timeline.ranks[1][0].end_us, 22 + 120);
  const TimelineStep& step = timeline.ranks[0][2];
  EXPECT_DOUBLE_EQ(step.end_us, 152 + 10);
  EXPECT_DOUBLE_EQ(step.end_us - step.begin_us, 20);
  EXPECT_DOUBLE_EQ(step.wait_us, 152 - (30 + 10));
}

TEST_F(TwoRanks, NeedNoTimeForLinksWithinOneRank) {
  const Timeline timeline = evaluate(*costs_, single_rank_plan(graph_, 2, 0));
  EXPECT_DOUBLE_EQ(timeline.makespan_us, 160);
  EXPECT_DOUBLE_EQ(timeline.wait_us[0], 0);
  EXPECT_TRUE(timeline.ranks[1].empty());
}

// Above the eager limit nothing moves before the receiver waits.
TEST(Timeline, MovesLargeMessagesOnlyWhileTheReceiverWaits) {
  Graph graph;
  const OpId input = add_input(graph, {1, 1, 2, 1 << 22});
  const OpId other = add_input(graph, {1, 1, 2, 1 << 22});
  const OpId first = test::add_op(graph, {other}, Elementwise{.function = {}});
  add_output(graph, test::add_op(graph, {input, first}, Binary{.kind = BinaryKind::add, .post_ops = {}}));
  Profile profile{.model = {}, .axis = SplitAxis::rows, .ranks = {}, .links = {}};
  const OpCost cost{.extents = {2}, .microseconds = {1000}};
  profile.ranks.assign(2, {.host = {}, .ops = {{}, {}, cost, cost}});
  profile.links = {{{}, {0, 0.00001}}, {{0, 0.00001}, {}}};
  const CostModel costs(graph, profile);
  const Timeline timeline = evaluate(costs, single_rank_plan(graph, 2, 1));
  // `other` (32 MB) comes after `input` on one link; `input` is copied when its reader waits for it, at the end.
  const std::vector<TimelineStep>& steps = timeline.ranks[1];
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_DOUBLE_EQ(steps[0].begin_us, 2 * 335.54432);
  EXPECT_DOUBLE_EQ(steps[1].begin_us, steps[0].end_us + 335.54432);
}

}  // namespace
}  // namespace strake::partition

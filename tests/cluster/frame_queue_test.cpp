// SPDX-License-Identifier: Apache-2.0
#include "cluster/frame_queue.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace {

using namespace strake;
using namespace strake::cluster;
using namespace std::chrono_literals;
using Verdict = FrameQueue::Verdict;

const FrameQueue::Time t0{1000s};

std::vector<zmq::message_t> bytes(std::size_t n) {
  std::vector<zmq::message_t> parts;
  parts.emplace_back(n);
  return parts;
}

FrameQueue queue_with_client(const FrameQueue::Limits& limits = {}) {
  FrameQueue queue(limits);
  EXPECT_TRUE(queue.heard("a", "peer", "", 1, t0));
  return queue;
}

Verdict submit(FrameQueue& queue, std::uint64_t number, std::size_t n_bytes = 10) {
  return queue.submit("a", number, {}, bytes(n_bytes), t0);
}

TEST(FrameQueue, AnswersEachFrameOnceAndAgainWhenAsked) {
  FrameQueue queue = queue_with_client();
  EXPECT_EQ(submit(queue, 1), Verdict::taken);
  EXPECT_EQ(submit(queue, 1), Verdict::repeated);
  const auto ticket = queue.next(t0);
  ASSERT_TRUE(ticket);
  EXPECT_EQ(ticket->parts.at(0).size(), 10U);
  EXPECT_EQ(submit(queue, 1), Verdict::repeated);
  EXPECT_FALSE(queue.next(t0)) << "a frame must not run twice";
  const auto answer = queue.finish(ticket->ticket, {}, bytes(3), t0);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->result.number(), 1U);
  EXPECT_EQ(answer->peer, "peer");
  EXPECT_FALSE(queue.finish(ticket->ticket, {}, {}, t0)) << "a frame must not be answered twice";
  EXPECT_EQ(submit(queue, 1), Verdict::answered);
  const auto again = queue.answer_again("a", 1);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->parts.at(0).size(), 3U);
  EXPECT_EQ(queue.held(), 1U);
  // The client has it.
  EXPECT_TRUE(queue.heard("a", "peer", "", 2, t0));
  EXPECT_EQ(queue.held(), 0U);
  EXPECT_EQ(submit(queue, 1), Verdict::old);
}

TEST(FrameQueue, ReplaysWhatRanBeforeWhatWaits) {
  FrameQueue queue = queue_with_client();
  for (std::uint64_t number = 1; number <= 3; ++number) EXPECT_EQ(submit(queue, number, number), Verdict::taken);
  const auto first = queue.next(t0);
  const auto second = queue.next(t0);
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(queue.replay(t0).empty());
  EXPECT_EQ(queue.waiting(), 3U);
  EXPECT_EQ(queue.replayed(), 2U);
  for (std::size_t n = 1; n <= 3; ++n) EXPECT_EQ(queue.next(t0)->parts.at(0).size(), n);
}

// Sizes of frames in the order in which they are taken; each is done at once.
std::vector<std::size_t> order_of(FrameQueue& queue) {
  std::vector<std::size_t> sizes;
  while (const auto ticket = queue.next(t0)) {
    sizes.push_back(ticket->parts.at(0).size());
    (void)queue.finish(ticket->ticket, {}, {}, t0);
  }
  return sizes;
}

TEST(FrameQueue, TakesFramesOfClientsInTurn) {
  FrameQueue queue = queue_with_client();
  for (std::uint64_t number = 1; number <= 4; ++number) EXPECT_EQ(submit(queue, number, number), Verdict::taken);
  for (const char* client : {"c", "b"}) {
    EXPECT_TRUE(queue.heard(client, "peer", "", 1, t0));
    EXPECT_EQ(queue.submit(client, 1, {}, bytes(client[0] == 'b' ? 11 : 21), t0), Verdict::taken);
    EXPECT_EQ(queue.submit(client, 2, {}, bytes(client[0] == 'b' ? 12 : 22), t0), Verdict::taken);
  }
  EXPECT_EQ(order_of(queue), (std::vector<std::size_t>{1, 11, 21, 2, 12, 22, 3, 4}));
}

TEST(FrameQueue, ReplaysBeforeAnyClientsTurn) {
  FrameQueue queue = queue_with_client();
  for (std::uint64_t number = 1; number <= 2; ++number) EXPECT_EQ(submit(queue, number, number), Verdict::taken);
  EXPECT_TRUE(queue.heard("b", "peer", "", 1, t0));
  EXPECT_EQ(queue.submit("b", 1, {}, bytes(11), t0), Verdict::taken);
  ASSERT_TRUE(queue.next(t0));
  ASSERT_EQ(queue.next(t0)->parts.at(0).size(), 11U);
  EXPECT_TRUE(queue.replay(t0).empty());
  // Both ran before; then a, whose turn it would have been.
  EXPECT_EQ(order_of(queue), (std::vector<std::size_t>{1, 11, 2}));
}

TEST(FrameQueue, GivesUpAFrameWithWhichJobsDieAndSparesItsNeighbours) {
  FrameQueue queue = queue_with_client({.attempts = 3});
  EXPECT_EQ(submit(queue, 1, 1), Verdict::taken);
  EXPECT_EQ(submit(queue, 2, 2), Verdict::taken);
  std::set<std::uint64_t> failed;
  int deaths = 0;
  std::set<std::uint64_t> answered;
  for (int turn = 0; turn < 20; ++turn) {
    std::optional<FrameQueue::Ticket> runs = queue.next(t0);
    if (!runs) break;
    (void)queue.next(t0);
    if (runs->parts.at(0).size() == 1) {
      ++deaths;
      for (const auto& answer : queue.replay(t0)) failed.insert(answer.result.number());
    } else {
      answered.insert(queue.finish(runs->ticket, {}, {}, t0)->result.number());
    }
  }
  EXPECT_EQ(deaths, 3);
  EXPECT_EQ(failed, std::set<std::uint64_t>{1});
  EXPECT_EQ(answered, std::set<std::uint64_t>{2});
}

TEST(FrameQueue, NeverGrowsBeyondItsLimits) {
  FrameQueue queue = queue_with_client({.frames = 4, .bytes = 100, .per_client = 3});
  EXPECT_EQ(submit(queue, 1, 1000), Verdict::taken) << "one frame is taken however large it is";
  EXPECT_EQ(submit(queue, 2, 1), Verdict::busy);
  queue.leave("a");
  EXPECT_TRUE(queue.heard("a", "peer", "", 1, t0));
  for (std::uint64_t number = 1; number <= 3; ++number) EXPECT_EQ(submit(queue, number), Verdict::taken);
  EXPECT_EQ(submit(queue, 4), Verdict::busy) << "a client has so many";
  EXPECT_TRUE(queue.heard("b", "other", "", 1, t0));
  EXPECT_EQ(queue.submit("b", 1, {}, bytes(1), t0), Verdict::taken);
  EXPECT_EQ(queue.submit("b", 2, {}, bytes(1), t0), Verdict::busy) << "all together have so many";
}

TEST(FrameQueue, ForgetsSilentClientsAndTheirFramesOnly) {
  FrameQueue queue = queue_with_client({.silence = 10s});
  EXPECT_EQ(submit(queue, 1), Verdict::taken);
  const auto runs = queue.next(t0);
  EXPECT_TRUE(queue.heard("b", "other", "", 1, t0 + 5s));
  EXPECT_EQ(queue.submit("b", 1, {}, bytes(1), t0 + 5s), Verdict::taken);
  EXPECT_EQ(queue.forget_silent(t0 + 11s), 1U);
  EXPECT_FALSE(queue.finish(runs->ticket, {}, {}, t0 + 11s));
  EXPECT_EQ(queue.waiting(), 1U);
  EXPECT_EQ(queue.running(), 0U);
}

TEST(FrameQueue, DoesNotKeepAnswersBehindAFrameThatHasToWait) {
  FrameQueue queue = queue_with_client({.frames = 2});
  EXPECT_EQ(submit(queue, 2), Verdict::taken);
  EXPECT_EQ(submit(queue, 3), Verdict::taken);
  EXPECT_EQ(submit(queue, 1), Verdict::busy);
  while (const auto runs = queue.next(t0)) EXPECT_TRUE(queue.finish(runs->ticket, {}, {}, t0));
  EXPECT_EQ(submit(queue, 1), Verdict::busy);
  const std::vector<std::uint64_t> received{2, 3};
  EXPECT_TRUE(queue.heard("a", "peer", "", 1, t0, received));
  EXPECT_EQ(submit(queue, 1), Verdict::taken);
  EXPECT_EQ(submit(queue, 2), Verdict::old) << "it was answered";
}

TEST(FrameQueue, KeepsAClientWithItsUser) {
  FrameQueue queue(FrameQueue::Limits{});
  EXPECT_TRUE(queue.heard("a", "peer", "client x KEY", 1, t0));
  EXPECT_FALSE(queue.heard("a", "elsewhere", "client y OTHER", 1, t0));
  EXPECT_TRUE(queue.heard("a", "new peer", "client x KEY", 1, t0));
  EXPECT_EQ(queue.submit("a", 1, {}, {}, t0), Verdict::taken);
  EXPECT_EQ(queue.finish(queue.next(t0)->ticket, {}, {}, t0)->peer, "new peer");
  EXPECT_EQ(queue.submit("nobody", 1, {}, {}, t0), Verdict::old);
}

// Clients that repeat, leave and come again, jobs that die: every frame that a client kept asking for is answered.
TEST(FrameQueue, LosesNothingAndAnswersNothingTwice) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto one_of = [&](unsigned n) { return random() % n; };
    FrameQueue queue(FrameQueue::Limits{.frames = 8, .per_client = 4, .attempts = 1000000});
    std::map<std::pair<std::string, std::uint64_t>, int> answers;
    std::map<std::string, std::uint64_t> oldest{{"a", 1}, {"b", 1}, {"c", 1}};
    std::vector<std::uint64_t> running;
    for (int step = 0; step < 2000; ++step) {
      const std::string client(1, static_cast<char>('a' + one_of(3)));
      switch (one_of(6)) {
        case 0:
        case 1: {
          std::vector<std::uint64_t> received;
          for (const auto& [frame, count] : answers)
            if (frame.first == client && frame.second >= oldest[client]) received.push_back(frame.second);
          (void)queue.heard(client, "p" + client, "", oldest[client], t0, received);
          (void)queue.submit(client, oldest[client] + one_of(5), {}, bytes(4), t0);
          break;
        }
        case 2:
          if (auto next = queue.next(t0)) running.push_back(next->ticket);
          break;
        case 3:
        case 4: {
          if (running.empty()) break;
          const std::size_t place = one_of(static_cast<unsigned>(running.size()));
          if (auto answer = queue.finish(running[place], {}, bytes(1), t0)) {
            EXPECT_EQ(answer->peer, "p" + answer->client);
            ++answers[{answer->client, answer->result.number()}];
          }
          running.erase(running.begin() + static_cast<std::ptrdiff_t>(place));
          break;
        }
        default:
          if (one_of(4) == 0) {
            EXPECT_TRUE(queue.replay(t0).empty());
            running.clear();
          }
          while (answers.contains({client, oldest[client]})) ++oldest[client];
      }
      EXPECT_LE(queue.waiting() + queue.running() + queue.held(), 8U);
      EXPECT_EQ(queue.running(), running.size());
    }
    for (const auto& [frame, count] : answers) EXPECT_EQ(count, 1) << frame.first << frame.second;
    for (const auto& [client, number] : oldest) EXPECT_GT(number, 10U) << client;
  }
}

}  // namespace

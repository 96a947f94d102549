// SPDX-License-Identifier: Apache-2.0
#include "api/frame_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace strake::api {
namespace {

using std::chrono::milliseconds;

// A frame that tells its number by the length of its input.
PendingFrame frame(Index number) {
  PendingFrame one;
  one.inputs["x"] = HostTensor{.type = ElementType::f32, .shape = {number}, .data = {}};
  return one;
}

Index number_of(const PendingFrame& one) { return one.inputs.at("x").shape.front(); }

TEST(FrameQueue, GivesFramesInOrderAndNoMoreThanAskedFor) {
  FrameQueue queue(5, WhenFull::refuse);
  for (Index i = 0; i < 5; ++i) queue.push(frame(i));
  std::vector<Index> seen;
  for (const std::size_t most : {2U, 2U, 2U}) {
    const std::vector<PendingFrame> taken = queue.pop(most);
    EXPECT_LE(taken.size(), most);
    for (const PendingFrame& one : taken) seen.push_back(number_of(one));
  }
  EXPECT_EQ(seen, (std::vector<Index>{0, 1, 2, 3, 4}));
}

TEST(FrameQueue, RefusesWhereItIsFull) {
  FrameQueue queue(2, WhenFull::refuse);
  queue.push(frame(0));
  queue.push(frame(1));
  EXPECT_THROW(queue.push(frame(2)), QueueFull);
  (void)queue.pop(1);
  queue.push(frame(3));
  EXPECT_EQ(number_of(queue.pop(9).back()), 3);
}

TEST(FrameQueue, BlocksUntilThereIsAPlace) {
  FrameQueue queue(1, WhenFull::block);
  queue.push(frame(0));
  std::atomic<bool> pushed = false;
  std::jthread pusher([&] {
    queue.push(frame(1));
    pushed = true;
  });
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_FALSE(pushed);
  EXPECT_EQ(number_of(queue.pop(1).front()), 0);
  EXPECT_EQ(number_of(queue.pop(1).front()), 1);
  pusher.join();
  EXPECT_TRUE(pushed);
}

TEST(FrameQueue, GivesWhatWaitsAfterItWasClosed) {
  FrameQueue queue(3, WhenFull::block);
  queue.push(frame(0));
  queue.close();
  EXPECT_THROW(queue.push(frame(1)), InvalidInput);
  EXPECT_EQ(queue.pop(3).size(), 1U);
  EXPECT_TRUE(queue.pop(3).empty());
}

TEST(FrameQueue, ClosingWakesWhoeverWaits) {
  FrameQueue full(1, WhenFull::block);
  full.push(frame(0));
  FrameQueue empty(1, WhenFull::block);
  std::atomic<int> woken = 0;
  std::jthread pusher([&] {
    EXPECT_THROW(full.push(frame(1)), InvalidInput);
    ++woken;
  });
  std::jthread popper([&] {
    EXPECT_TRUE(empty.pop(1).empty());
    ++woken;
  });
  std::this_thread::sleep_for(milliseconds(10));
  full.close();
  empty.close();
  pusher.join();
  popper.join();
  EXPECT_EQ(woken, 2);
}

TEST(FrameQueue, FramesThatWaitLearnWhatFailed) {
  FrameQueue queue(3, WhenFull::block);
  PendingFrame one = frame(0);
  std::future<Result> result = one.result.get_future();
  queue.push(std::move(one));
  queue.fail(std::make_exception_ptr(PeerLost("rank 1 is silent")));
  EXPECT_THROW((void)result.get(), PeerLost);
  EXPECT_THROW(queue.push(frame(1)), PeerLost);
  EXPECT_TRUE(queue.pop(3).empty());
}

// Whatever threads do, each frame comes out once, and those of one thread in order.
TEST(FrameQueue, LosesAndDoublesNothing) {
  constexpr Index n_threads = 4;
  constexpr Index n_frames = 500;
  FrameQueue queue(3, WhenFull::block);
  std::vector<Index> seen;
  {
    std::vector<std::jthread> pushers;
    for (Index thread = 0; thread < n_threads; ++thread)
      pushers.emplace_back([&, thread] {
        for (Index i = 0; i < n_frames; ++i) queue.push(frame(thread * n_frames + i));
      });
    while (static_cast<Index>(seen.size()) < n_threads * n_frames) {
      const std::vector<PendingFrame> taken = queue.pop(2);
      ASSERT_FALSE(taken.empty());
      for (const PendingFrame& one : taken) seen.push_back(number_of(one));
    }
  }
  std::vector<Index> next(n_threads, 0);
  for (const Index number : seen) {
    const auto thread = static_cast<std::size_t>(number / n_frames);
    ASSERT_EQ(number % n_frames, next[thread]);
    ++next[thread];
  }
}

}  // namespace
}  // namespace strake::api

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Frames on their way from the threads of a program to the one that runs them.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <vector>

#include "core/host_tensor.hpp"
#include "strake/engine.hpp"

namespace strake::api {

struct PendingFrame {
  TensorMap inputs;
  std::optional<std::chrono::steady_clock::time_point> deadline;
  std::promise<Result> result;

  [[nodiscard]] bool is_late() const { return deadline && std::chrono::steady_clock::now() > *deadline; }
};

/// First in, first out; never holds more than it was made for. Any thread.
class FrameQueue {
 public:
  FrameQueue(std::size_t most, WhenFull when_full) : most_(most), when_full_(when_full) {}

  /// Waits for a place where it blocks. @throws QueueFull where it refuses; InvalidInput once the queue is closed
  void push(PendingFrame frame);

  /// The first `most` frames or fewer, as they are; waits for one. Nothing when the queue is closed and empty.
  [[nodiscard]] std::vector<PendingFrame> pop(std::size_t most);

  /// Refuses further frames; those that wait stay.
  void close();

  /// Closes, and gives every frame that waits this error.
  void fail(const std::exception_ptr& error);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<PendingFrame> frames_;
  std::size_t most_;
  WhenFull when_full_;
  bool closed_ = false;
  std::exception_ptr error_;
};

}  // namespace strake::api

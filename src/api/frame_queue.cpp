// SPDX-License-Identifier: Apache-2.0
#include "api/frame_queue.hpp"

#include <exception>
#include <string>
#include <utility>

#include "core/errors.hpp"

namespace strake::api {

void FrameQueue::push(PendingFrame frame) {
  std::unique_lock lock(mutex_);
  if (when_full_ == WhenFull::block) changed_.wait(lock, [&] { return closed_ || frames_.size() < most_; });
  if (error_) std::rethrow_exception(error_);
  if (closed_) throw InvalidInput("the engine is closed: it takes no more frames");
  if (frames_.size() >= most_)
    throw QueueFull(std::to_string(frames_.size()) + " frames wait, which is as many as may");
  frames_.push_back(std::move(frame));
  changed_.notify_all();
}

std::vector<PendingFrame> FrameQueue::pop(std::size_t most) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || !frames_.empty(); });
  std::vector<PendingFrame> taken;
  while (taken.size() < most && !frames_.empty()) {
    taken.push_back(std::move(frames_.front()));
    frames_.pop_front();
  }
  changed_.notify_all();
  return taken;
}

void FrameQueue::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

void FrameQueue::fail(const std::exception_ptr& error) {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  error_ = error;
  for (PendingFrame& frame : frames_) frame.result.set_exception(error);
  frames_.clear();
  changed_.notify_all();
}

}  // namespace strake::api

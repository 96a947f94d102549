// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Ends the wait of a thread that polls sockets, from another thread.

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>
#include <zmq.hpp>

namespace strake::cluster {

class WakeUp {
 public:
  /// @throws std::runtime_error where the system has no more descriptors
  WakeUp() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::runtime_error("cannot make an eventfd");
  }
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;
  ~WakeUp() { close(descriptor_); }

  /// Any thread: the next poll returns at once, or the one that waits now.
  void ring() {
    const std::uint64_t one = 1;
    (void)!write(descriptor_, &one, sizeof(one));
  }
  /// The thread that polls, after each poll.
  void forget() {
    std::uint64_t count = 0;
    (void)!read(descriptor_, &count, sizeof(count));
  }
  [[nodiscard]] zmq::pollitem_t poll_item() const { return {nullptr, descriptor_, ZMQ_POLLIN, 0}; }

 private:
  int descriptor_;
};

}  // namespace strake::cluster

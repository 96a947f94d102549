// SPDX-License-Identifier: Apache-2.0
#include "engine/frame_service.hpp"

#include <chrono>
#include <exception>
#include <utility>
#include <vector>

#include "core/errors.hpp"
#include "engine/session_messages.hpp"

namespace strake::engine {

namespace {

// The next frame may come tomorrow; when rank 0 ends, whoever waits for it is told.
constexpr std::chrono::nanoseconds no_end = std::chrono::hours(24 * 365);

// A session remembers the times of each frame for its reports; a service without end must not.
constexpr int remembered_cycles = 10'000;

}  // namespace

FrameService::FrameService(Session& session, comm::Communicator& communicator, FrameHooks hooks)
    : session_(&session), communicator_(&communicator), hooks_(std::move(hooks)) {}

void FrameService::command(Command what, std::span<const std::byte> message) {
  ensure(session_->is_root(), "rank 0 says when a frame comes");
  comm::Bytes bytes{static_cast<std::byte>(what)};
  bytes.insert(bytes.end(), message.begin(), message.end());
  for (int rank = 1; rank < communicator_->size(); ++rank) communicator_->send(bytes, rank, set_up_timeout);
}

void FrameService::after_cycle() {
  if (++cycles_ % remembered_cycles == 0) session_->forget_times();
  if (hooks_.after_cycle) hooks_.after_cycle();
}

double FrameService::run(std::span<const TensorMap> inputs, Frame frame) {
  ensure(!closed_, "frames run before the service is closed");
  const auto n_frames = static_cast<std::size_t>(session_->plan().frames);
  ensure(!inputs.empty() && inputs.size() <= n_frames, "a cycle has at least one frame and no more than fit");
  std::vector<TensorMap> filled;
  if (inputs.size() > 1 && inputs.size() < n_frames) {
    filled.assign(inputs.begin(), inputs.end());
    filled.resize(n_frames, inputs.back());
    inputs = filled;
  }
  command(frame == Frame::counted ? Command::run : Command::warm_up);
  // The other ranks know nothing of what rank 0 computes behind the graph.
  std::exception_ptr tail_error;
  double latency_us = 0;
  try {
    latency_us = session_->run(inputs, frame);
  } catch (const InvalidInput&) {
    tail_error = std::current_exception();
  }
  after_cycle();
  if (tail_error) std::rethrow_exception(tail_error);
  return latency_us;
}

void FrameService::tell(std::span<const std::byte> message) {
  command(Command::tell, message);
  if (hooks_.told) hooks_.told(message);
}

void FrameService::close() {
  if (!closed_) command(Command::close);
  closed_ = true;
}

void FrameService::work() {
  ensure(!session_->is_root(), "rank 0 runs frames");
  while (true) {
    const comm::Bytes bytes = communicator_->receive(0, no_end);
    ensure(!bytes.empty(), "a command has a kind");
    switch (static_cast<Command>(bytes.front())) {
      case Command::run:
      case Command::warm_up:
        session_->run(TensorMap{},
                      static_cast<Command>(bytes.front()) == Command::run ? Frame::counted : Frame::warm_up);
        after_cycle();
        break;
      case Command::tell:
        if (hooks_.told) hooks_.told(std::span(bytes).subspan(1));
        break;
      case Command::close:
        return;
    }
  }
}

}  // namespace strake::engine

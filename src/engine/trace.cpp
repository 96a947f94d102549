// SPDX-License-Identifier: Apache-2.0
#include "engine/trace.hpp"

#include <algorithm>
#include <cstring>
#include <sstream>
#include <utility>

namespace strake::engine {

namespace {

constexpr std::size_t moments_beside_steps = 3;

// Three lines a step; neither boxes nor names of implementations have line breaks.
std::string to_text(const std::vector<Step>& steps) {
  std::ostringstream text;
  for (const Step& step : steps)
    text << static_cast<int>(step.kind) << ' ' << step.op << '\n'
         << (step.kernel != nullptr ? to_string(step.box) : "") << '\n'
         << (step.kernel != nullptr ? step.kernel->implementation() : "") << '\n';
  return text.str();
}

std::vector<TraceStep> steps_from_text(const std::string& all) {
  std::istringstream text(all);
  std::vector<TraceStep> steps;
  int kind = 0;
  TraceStep step;
  while (text >> kind >> step.op && text.ignore() && std::getline(text, step.box) &&
         std::getline(text, step.implementation)) {
    step.kind = static_cast<StepKind>(kind);
    steps.push_back(step);
  }
  return steps;
}

comm::Bytes moments_to_bytes(const std::vector<Moment>& moments) {
  comm::Bytes bytes;
  for (const Moment moment : moments) {
    const std::int64_t time = nanoseconds_of(moment);
    const auto* begin = reinterpret_cast<const std::byte*>(&time);
    bytes.insert(bytes.end(), begin, begin + sizeof(time));
  }
  return bytes;
}

std::vector<FrameTrace> frames_from_bytes(const comm::Bytes& bytes, std::size_t n_steps) {
  const std::size_t size = n_steps + moments_beside_steps;
  ensure(bytes.size() % (size * sizeof(std::int64_t)) == 0, "a rank records whole frames");
  std::vector<FrameTrace> frames(bytes.size() / (size * sizeof(std::int64_t)), FrameTrace(size));
  const std::byte* place = bytes.data();
  for (FrameTrace& frame : frames) {
    std::memcpy(frame.data(), place, size * sizeof(std::int64_t));
    place += size * sizeof(std::int64_t);
  }
  return frames;
}

}  // namespace

std::int64_t nanoseconds_of(Moment moment) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(moment.time_since_epoch()).count();
}

Recorder::Recorder(std::size_t n_steps, std::size_t n_frames)
    : frame_size_(n_steps + moments_beside_steps), ring_(std::max<std::size_t>(n_frames, 1) * frame_size_) {}

void Recorder::start_again(std::size_t n_steps) {
  const std::size_t n_kept = ring_.size() / frame_size_;
  n_before_ += std::exchange(n_frames_, 0);
  frame_size_ = n_steps + moments_beside_steps;
  ring_.assign(n_kept * frame_size_, Moment());
}

std::span<Moment> Recorder::next_frame() {
  return std::span(ring_).subspan(n_frames_++ * frame_size_ % ring_.size(), frame_size_);
}

std::vector<Moment> Recorder::moments() const {
  const std::size_t written = n_frames_ * frame_size_;
  std::vector<Moment> all(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(std::min(written, ring_.size())));
  if (written > ring_.size())
    std::rotate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(written % ring_.size()), all.end());
  return all;
}

Trace gather_trace(comm::Communicator& communicator, const Program& program, const Recorder& recorder,
                   const std::vector<comm::ClockOffset>& before, const std::vector<comm::ClockOffset>& after,
                   comm::Timeout timeout) {
  const std::vector<comm::Bytes> hosts = communicator.gather(comm::text_to_bytes(communicator.host()), 0, timeout);
  const std::vector<comm::Bytes> steps = communicator.gather(comm::text_to_bytes(to_text(program.steps())), 0, timeout);
  const std::vector<comm::Bytes> moments = communicator.gather(moments_to_bytes(recorder.moments()), 0, timeout);
  Trace trace;
  for (std::size_t rank = 0; rank < moments.size(); ++rank) {
    RankTrace& one = trace.ranks.emplace_back();
    one.host = comm::text_from_bytes(hosts[rank]);
    one.steps = steps_from_text(comm::text_from_bytes(steps[rank]));
    one.frames = frames_from_bytes(moments[rank], one.steps.size());
    ensure(one.frames.size() == trace.ranks.front().frames.size(), "all ranks record the same frames");
    one.clock_error_ns = std::max(before[rank].error, after[rank].error);
    for (FrameTrace& frame : one.frames)
      for (std::int64_t& time : frame) time = comm::time_of_root(time, before[rank], after[rank]);
    trace.first_frame = recorder.n_frames() - one.frames.size();
  }
  return trace;
}

}  // namespace strake::engine

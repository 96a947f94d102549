// SPDX-License-Identifier: Apache-2.0
#pragma once
/// When the steps of frames begin and end: recorded on every rank, gathered on one clock.

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/clock_probe.hpp"
#include "engine/program.hpp"

namespace strake::engine {

using Moment = std::chrono::steady_clock::time_point;

/// Keeps the moments of the last frames of one rank. All memory is taken before the first frame, and one thread writes.
///
/// The moments of a frame of n steps, n + 3 of them: when the frame begins, when its first step begins, when each step
/// ends (a step begins where the one before it ends), when the frame is over.
class Recorder {
 public:
  /// @param n_frames  how many are kept, at least one
  Recorder(std::size_t n_steps, std::size_t n_frames);

  /// The frames that follow have other steps; those before them are kept no more.
  void start_again(std::size_t n_steps);

  /// Where the next frame's moments are to be written. Takes the place of the oldest frame when all places are taken.
  [[nodiscard]] std::span<Moment> next_frame();

  /// How many frames there have been, those that are kept no more among them.
  [[nodiscard]] std::size_t n_frames() const { return n_before_ + n_frames_; }

  /// The moments of the frames that are kept, one frame behind the other, oldest first.
  [[nodiscard]] std::vector<Moment> moments() const;

 private:
  std::size_t frame_size_;
  std::size_t n_before_ = 0;  // frames of other steps
  std::size_t n_frames_ = 0;  // frames of these
  std::vector<Moment> ring_;
};

/// A step of a rank's program as others are told of it.
struct TraceStep {
  StepKind kind = StepKind::compute;
  OpId op = 0;
  std::string box = {};             // that `compute` produces, as `to_string` writes it
  std::string implementation = {};  // of the kernel
};

/// Nanoseconds of rank 0's clock, as many and in the order that `Recorder` says.
using FrameTrace = std::vector<std::int64_t>;

struct RankTrace {
  std::string host;
  std::vector<TraceStep> steps;     // the same in every frame
  std::vector<FrameTrace> frames;   // the last ones, oldest first; as many on every rank
  std::int64_t clock_error_ns = 0;  // this rank's times are off from rank 0's by no more, if its clock drifts evenly
};

/// What all ranks did in the last frames.
struct Trace {
  std::size_t first_frame = 0;  // number of the oldest frame that is kept
  bool has_tail = false;        // rank 0 goes on after its last step, until the frame is over
  std::vector<RankTrace> ranks;
};

/// Collective: hosts, steps and frames of all ranks, on rank 0; no ranks on the others.
/// @param before  what `probe_clocks` gave before the first frame, by the clock that moments are taken from
/// @param after   and after the last one
[[nodiscard]] Trace gather_trace(comm::Communicator& communicator, const Program& program, const Recorder& recorder,
                                 const std::vector<comm::ClockOffset>& before,
                                 const std::vector<comm::ClockOffset>& after, comm::Timeout timeout);

/// A moment as nanoseconds of this rank's clock.
[[nodiscard]] std::int64_t nanoseconds_of(Moment moment);

}  // namespace strake::engine

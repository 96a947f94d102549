// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Runs a program frame by frame and times its steps.

#include <chrono>
#include <span>
#include <vector>

#include "engine/program.hpp"

namespace strake::engine {

struct ExecutorOptions {
  double slowdown = 1;  // each kernel is followed by spinning until it has taken this many times as long
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);
};

/// One rank's part of one frame, in microseconds.
struct FrameTimes {
  double compute_us = 0;  // in kernels, emulated slowdown included
  double copy_us = 0;     // part of it that kernels spent in copies, where they measure them (`kernels/copy_clock.hpp`)
  double wait_us = 0;     // for messages, in either direction
  double total_us = 0;
};

/// Borrows the program.
class Executor {
 public:
  Executor(const Program& program, const ExecutorOptions& options)
      : program_(&program), options_(options), step_us_(program.steps().size()) {}

  /// Collective where the program has messages.
  /// @param moments  room for when the first step begins and when each step ends, or empty
  /// @throws PeerLost
  FrameTimes run(std::span<std::chrono::steady_clock::time_point> moments = {});

  /// From the next frame on.
  void set_slowdown(double slowdown) { options_.slowdown = slowdown; }

  /// What each step of the last frame took, in the order of `Program::steps`.
  [[nodiscard]] const std::vector<double>& step_us() const { return step_us_; }

 private:
  void run_step(const Step& step);

  const Program* program_;
  ExecutorOptions options_;
  std::vector<double> step_us_;
};

}  // namespace strake::engine

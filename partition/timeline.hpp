// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Predicts what a plan takes: every rank's clock, step by step.

#include <vector>

#include "core/plan.hpp"
#include "partition/cost_model.hpp"

namespace strake::partition {

/// What one rank does with one operator, in microseconds from the start of the frame.
struct TimelineStep {
  OpId op = 0;
  double wait_us = 0;   // until its halo was there
  double begin_us = 0;  // of computing
  double end_us = 0;
};

struct Timeline {
  std::vector<std::vector<TimelineStep>> ranks;  // [rank], steps in the order of the program
  std::vector<double> compute_us;                // [rank]
  std::vector<double> wait_us;                   // [rank]
  std::vector<double> sent_bytes;                // [rank]
  double makespan_us = 0;                        // until rank 0 has every output
};

/// Runs the plan on the clock of the cost model, with the order of steps that the executor has.
[[nodiscard]] Timeline evaluate(const CostModel& costs, const Plan& plan);

}  // namespace strake::partition

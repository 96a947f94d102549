// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Whether a plan helps, by how much, and what holds it back: see docs/planning.md.

#include <vector>

#include "partition/cost_model.hpp"

namespace strake::partition {

/// Where the time of a frame goes beyond what all ranks together would need at best, in microseconds. With the ideal
/// they add up to the frame.
struct Losses {
  double messages_us = 0;   // gone if links took no time
  double imbalance_us = 0;  // ranks wait for each other although messages are free
  double unsplit_us = 0;    // one rank computes an operator alone while the others could help
  double kernels_us = 0;    // rows that are computed twice, and parts that take more than their share of the whole
  double left_out_us = 0;   // ranks that have nothing to do
};

struct Verdict {
  int best_rank = 0;          // the one that is fastest alone
  double best_single_us = 0;  // of it, inputs and outputs sent
  double ideal_speedup = 1;   // of all ranks over the fastest one, nothing sent
  std::vector<int> ranks;     // that compute something
  double frame_us = 0;        // of the plan
  double ideal_us = 0;        // one over the sum of all ranks' throughputs
  Losses losses;

  [[nodiscard]] double speedup() const { return best_single_us / frame_us; }
};

/// By the timeline. All times are 0 where the profile has none.
[[nodiscard]] Verdict judge(const CostModel& costs, const Plan& plan);

}  // namespace strake::partition

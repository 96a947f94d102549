// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Simulated annealing of strips on the timeline, for the plan that will run: where every single change makes a plan
/// slower, several may make it faster.

#include "partition/polish.hpp"

namespace strake::partition {

/// Whether ranks that the plan leaves out may get work.
enum class Ranks : unsigned char { of_plan, any };

/// A plan that is predicted to be at least as fast: cuts of stretches of segments move, ranks join and leave, stretches
/// are cut alike or by throughput, segments are joined and split if asked for, overlap and homes change; worse plans
/// are kept for a while, ever less (S. Kirkpatrick et al., "Optimization by Simulated Annealing", Science 220, 1983). A
/// fixed number of trials from a fixed seed: deterministic.
[[nodiscard]] StripPlan anneal(const StripModel& model, StripPlan plan, Segments segments, Ranks ranks);

}  // namespace strake::partition

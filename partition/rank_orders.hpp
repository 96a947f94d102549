// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which ranks to plan with, and in which order they lie along the strip axis.

#include <vector>

#include "partition/cost_model.hpp"

namespace strake::partition {

/// Sets of ranks worth planning with, each ascending: all of them; then, one after the other (several at a time where
/// they are many), without the slowest; and where links differ, without those that are worst connected.
/// No set has fewer than two ranks unless there are no more.
[[nodiscard]] std::vector<std::vector<int>> rank_sets(const CostModel& costs);

/// Orders of a set of ranks: as numbered; where links differ also all others of up to three ranks, and for more the one
/// with the fastest links between neighbours (found by trial up to six ranks; above, slow links go to the ends).
[[nodiscard]] std::vector<std::vector<int>> rank_orders(const CostModel& costs, const std::vector<int>& ranks);

}  // namespace strake::partition

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One function per strategy. `allowed[rank]` says who may take part; rank 0 always keeps inputs and outputs.

#include <vector>

#include "core/plan.hpp"
#include "partition/cost_model.hpp"

namespace strake::partition {

/// OODP for every tensor, given the cuts of the tensors before it.
[[nodiscard]] Plan exchange_plan(const CostModel& costs, const std::vector<bool>& allowed);

/// OODP for fused segments whose halos are recomputed; see docs/planning.md.
[[nodiscard]] Plan recompute_plan(const CostModel& costs, const std::vector<bool>& allowed);

/// EdgeDI's heuristic as published (ACM TOIT 23(1), 2023; EdgeLD, HPCC 2020). Changed: rows go from their producers to
/// their consumers without passing through the leader, whose transfers the heuristic still counts.
[[nodiscard]] Plan published_plan(const CostModel& costs);

/// Strips in proportion to the throughput of the whole model.
[[nodiscard]] Plan proportional_plan(const CostModel& costs);

/// Operators through which everything passes: nothing that was produced before is read after them. Only operators that
/// can be cut. Ascending.
[[nodiscard]] std::vector<OpId> articulation_points(const CostModel& costs);

}  // namespace strake::partition

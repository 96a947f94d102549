// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Planners by name: pure functions from costs to plans.

#include <string>
#include <vector>

#include "core/plan.hpp"
#include "partition/cost_model.hpp"

namespace strake::partition {

/// "auto" (the fastest predicted of oodp by exchange, oodp by recompute, oodp by rows and then channels, and one rank),
/// "oodp" (the faster of the first two), "oodp-exchange", "oodp-recompute", "oodp-hybrid", and those of
/// `strategies/strategies.hpp`; and those that take several frames in flight, "data-parallel" and
/// "frame-groups" (`throughput.hpp`).
[[nodiscard]] std::vector<std::string> strategies();

/// A checked plan with its predicted time, strategy, overlap choices and notes (what lost and by how much, which ranks
/// were left out and why). Deterministic.
/// @throws InvalidInput if nobody knows the strategy (the message lists those that exist)
[[nodiscard]] Plan make_plan(const CostModel& costs, const std::string& strategy);

/// The fastest predicted of oodp by exchange, by recompute, and by rows and then channels, for these ranks and no
/// others. @param ranks  ascending, at least one
[[nodiscard]] Plan plan_for_ranks(const CostModel& costs, const std::vector<int>& ranks);

/// `make_plan(costs, "equal")` without any measurement: even strips, every rank with work where there are rows, what
/// cannot be cut on rank 0.
[[nodiscard]] Plan equal_plan(const Graph& graph, int n_ranks, SplitAxis axis);

}  // namespace strake::partition

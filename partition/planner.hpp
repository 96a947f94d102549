// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Planners by name: pure functions from costs to plans.

#include <limits>
#include <string>
#include <vector>

#include "core/plan.hpp"
#include "partition/cost_model.hpp"

namespace strake::partition {

/// "auto" (the fastest predicted of oodp by exchange, oodp by recompute, oodp by rows and then channels, and one rank),
/// "oodp" (the faster of the first two), "oodp-exchange", "oodp-recompute", "oodp-hybrid", "lean" (the least memory),
/// those of `strategies/strategies.hpp`, and those that take several frames in flight, "data-parallel" and
/// "frame-groups" (`throughput.hpp`).
[[nodiscard]] std::vector<std::string> strategies();

/// What makes one plan better than another.
enum class Objective : unsigned char {
  latency,     // the fastest frame
  throughput,  // the most frames per second, several in flight
  memory       // the least memory of the rank that holds most
};

/// What is asked of a plan.
struct Goal {
  Objective objective = Objective::latency;
  double most_bytes = std::numeric_limits<double>::infinity();  // of any rank's process, see partition/memory.hpp
  double offered_fps =
      0;  // throughput: of the plans that keep up, the one whose frames take least; 0 for as many as can be
  int most_in_flight = 16;  // throughput: frames of a cycle; more hide what happens at its ends, and cost memory
  bool anneals = true;      // not beside running frames: it takes long, and leaves slow ranks so little that what they
                            // take for it does not tell their speed any more
};

/// Their names: "latency", "throughput", "memory".
[[nodiscard]] std::vector<std::string> objectives();

/// @throws InvalidInput if nobody knows the name
[[nodiscard]] Objective objective_of(const std::string& name);

/// True for strategies that choose among plans, so that a goal makes a difference: "auto" and those of OODP.
[[nodiscard]] bool has_choice(const std::string& strategy);

/// A checked plan with its predicted time, strategy, overlap choices and notes (what lost and by how much, which ranks
/// were left out and why). Deterministic.
/// Strategies without a choice make their plan whatever the goal.
/// @throws InvalidInput if nobody knows the strategy (the message lists those that exist), or if no plan that was tried
///         keeps every rank within `goal.most_bytes` (the message says what the leanest needs)
[[nodiscard]] Plan make_plan(const CostModel& costs, const std::string& strategy, const Goal& goal = {});

/// The fastest predicted of oodp by exchange, by recompute, and by rows and then channels, for these ranks and no
/// others. @param ranks  ascending, at least one
[[nodiscard]] Plan plan_for_ranks(const CostModel& costs, const std::vector<int>& ranks);

/// `make_plan(costs, "equal")` without any measurement: even strips, every rank with work where there are rows, what
/// cannot be cut on rank 0.
[[nodiscard]] Plan equal_plan(const Graph& graph, int n_ranks, SplitAxis axis);

}  // namespace strake::partition

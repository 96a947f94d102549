// SPDX-License-Identifier: Apache-2.0
#include "partition/planner.hpp"
#include "partition/strategies.hpp"
#include "partition/strips.hpp"

namespace strake::partition {

namespace {

// Every map that can be cut in proportion to `weights`; the rest on rank 0.
Plan weighted_plan(const Graph& graph, SplitAxis axis, const std::vector<double>& weights) {
  Plan plan = empty_plan(graph, static_cast<int>(weights.size()));
  plan.axis = axis;
  const std::vector<int> axes = strip_axes(graph, axis);
  for (OpId id = 0; id < graph.size(); ++id) {
    if (!is_computed(graph.op(id))) continue;
    const int strip_axis = axes[static_cast<std::size_t>(id)];
    if (strip_axis < 0) {
      plan.boxes(id, 0) = {whole(graph.shape(id))};
      continue;
    }
    const Index rows = graph.shape(id)[static_cast<std::size_t>(strip_axis)];
    set_strips(graph, plan, id, strip_axis, proportional_strips(rows, weights));
  }
  return plan;
}

}  // namespace

Plan equal_plan(const Graph& graph, int n_ranks, SplitAxis axis) {
  Plan plan = weighted_plan(graph, axis, std::vector<double>(static_cast<std::size_t>(n_ranks), 1.0));
  plan.strategy = "equal";
  place_constants(graph, plan);
  check(graph, plan, n_ranks);
  return plan;
}

Plan proportional_plan(const CostModel& costs) {
  std::vector<double> weights;
  for (const RankProfile& rank : costs.profile().ranks) weights.push_back(1 / rank.whole_us);
  return weighted_plan(costs.graph(), costs.profile().axis, weights);
}

}  // namespace strake::partition

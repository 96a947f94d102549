// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "partition/oodp.hpp"
#include "partition/strategies.hpp"
#include "partition/strips.hpp"

namespace strake::partition {

Plan exchange_plan(const CostModel& costs, const std::vector<bool>& allowed) {
  const Graph& graph = costs.graph();
  Plan plan = empty_plan(graph, costs.n_ranks());
  plan.axis = costs.profile().axis;
  for (OpId id = 0; id < graph.size(); ++id) {
    if (!is_computed(graph.op(id))) continue;
    const int axis = costs.strip_axis(id);
    if (axis < 0) {
      place_on_best_rank(costs, plan, id, allowed);
      continue;
    }
    const auto place = static_cast<std::size_t>(axis);
    const Box all = whole(graph.shape(id));
    const StripCost cost = [&](int rank, Interval rows) {
      if (!allowed[static_cast<std::size_t>(rank)]) return std::numeric_limits<double>::infinity();
      return costs.compute_us(rank, id, rows.size()) + fetch_us(costs, plan, id, rank, with_axis(all, place, rows));
    };
    set_strips(graph, plan, id, axis, oodp(costs.n_ranks(), graph.shape(id)[place], cost).strips);
  }
  return plan;
}

}  // namespace strake::partition

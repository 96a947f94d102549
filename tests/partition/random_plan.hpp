// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Random valid plans: any cuts along any axes, boxes computed twice, several boxes of a rank.

#include <algorithm>

#include "core/plan.hpp"
#include "core/random.hpp"

namespace strake::test {

/// Cuts every operator along an axis of its own into up to six intervals and gives each to one rank or two.
inline Plan random_plan(Random& random, const Graph& graph, int n_ranks, SplitAxis axis) {
  Plan plan = empty_plan(graph, n_ranks);
  plan.strategy = "random";
  plan.axis = axis;
  const std::vector<int> axes = strip_axes(graph, axis);
  const auto any_rank = [&] { return static_cast<int>(pick(random, 0, n_ranks - 1)); };
  for (OpId id = 0; id < graph.size(); ++id) {
    if (as<Input>(graph.op(id)) != nullptr || as<Constant>(graph.op(id)) != nullptr) continue;
    const Box all = whole(graph.shape(id));
    std::vector<std::size_t> cuttable;
    for (std::size_t i = 0; i < all.rank(); ++i)
      if (can_cut(graph, id, i)) cuttable.push_back(i);
    if (axes[static_cast<std::size_t>(id)] >= 0 && pick(random, 0, 1) == 0)
      plan.overlap[static_cast<std::size_t>(id)] = Overlap::interior_first;
    if (cuttable.empty() || pick(random, 0, 5) == 0) {
      plan.boxes(id, any_rank()) = {all};
      continue;
    }
    const std::size_t along =
        cuttable[static_cast<std::size_t>(pick(random, 0, static_cast<Index>(cuttable.size()) - 1))];
    std::vector<Index> cuts = {0, all[along].end};
    for (Index i = pick(random, 0, 5); i > 0; --i) cuts.push_back(pick(random, 0, all[along].end));
    std::sort(cuts.begin(), cuts.end());
    for (std::size_t i = 1; i < cuts.size(); ++i) {
      if (cuts[i - 1] == cuts[i]) continue;
      const Box part = with_axis(all, along, {cuts[i - 1], cuts[i]});
      const int first = any_rank();
      const int second = pick(random, 0, 4) == 0 ? any_rank() : first;
      plan.boxes(id, first).push_back(part);
      if (second != first) plan.boxes(id, second).push_back(part);
    }
  }
  place_constants(graph, plan);
  check(graph, plan, n_ranks);
  return plan;
}

}  // namespace strake::test

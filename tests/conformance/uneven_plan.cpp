// SPDX-License-Identifier: Apache-2.0
#include "conformance/uneven_plan.hpp"

#include <algorithm>
#include <array>

namespace strake::conformance {

namespace {

bool is_given(const Op& op) { return as<Input>(op) != nullptr || as<Constant>(op) != nullptr; }

Plan plan_along(const Graph& graph, int n_ranks, SplitAxis axis) {
  Plan plan = empty_plan(graph, n_ranks);
  plan.strategy = "uneven";
  plan.axis = axis;
  const std::vector<int> axes = strip_axes(graph, axis);
  for (OpId id = 0; id < graph.size(); ++id) {
    if (is_given(graph.op(id))) continue;
    const Box all = whole(graph.shape(id));
    const int cut = axes[static_cast<std::size_t>(id)];
    if (cut < 0) {
      plan.boxes(id, 0) = {all};
      continue;
    }
    const auto place = static_cast<std::size_t>(cut);
    const std::vector<Index> cuts = uneven_cuts(all[place].end, n_ranks);
    for (int rank = 0; rank < n_ranks; ++rank) {
      const Interval strip{cuts[static_cast<std::size_t>(rank)], cuts[static_cast<std::size_t>(rank) + 1]};
      if (!strip.empty()) plan.boxes(id, rank) = {with_axis(all, place, strip)};
    }
  }
  place_constants(graph, plan);
  return plan;
}

}  // namespace

std::vector<Index> uneven_cuts(Index n_rows, int n_ranks) {
  constexpr std::array<Index, 3> weights{3, 2, 4};
  const auto weight = [&](int rank) { return weights[static_cast<std::size_t>(rank) % weights.size()]; };
  Index total = 0;
  for (int rank = 0; rank < n_ranks; ++rank) total += weight(rank);
  std::vector<Index> cuts{0};
  Index before = 0;
  for (int rank = 0; rank < n_ranks; ++rank) {
    before += weight(rank);
    Index cut = (2 * n_rows * before + total) / (2 * total);
    if (n_rows >= n_ranks) cut = std::clamp(cut, cuts.back() + 1, n_rows - (n_ranks - 1 - rank));
    cuts.push_back(cut);
  }
  return cuts;
}

Plan uneven_plan(const Graph& graph, int n_ranks) {
  const SplitAxis longer = longer_axis(graph);
  Plan plan = plan_along(graph, n_ranks, longer);
  if (n_ranks == 1 || ranks_with_work(graph, plan) > 1) return plan;
  Plan other = plan_along(graph, n_ranks, longer == SplitAxis::rows ? SplitAxis::columns : SplitAxis::rows);
  return ranks_with_work(graph, other) > 1 ? other : plan;
}

int ranks_with_work(const Graph& graph, const Plan& plan) {
  int n = 0;
  for (int rank = 0; rank < plan.n_ranks; ++rank) {
    bool works = false;
    for (OpId id = 0; id < graph.size(); ++id)
      works = works || (!is_given(graph.op(id)) && !plan.boxes(id, rank).empty());
    n += works ? 1 : 0;
  }
  return n;
}

}  // namespace strake::conformance

// SPDX-License-Identifier: Apache-2.0
#include "partition/strategies/cuts.hpp"

#include <cmath>
#include <numeric>

namespace strake::partition {

std::vector<Index> even_cuts(Index n_rows, int n_ranks) {
  std::vector<Index> cuts;
  for (int rank = 0; rank <= n_ranks; ++rank) cuts.push_back(n_rows * rank / n_ranks);
  return cuts;
}

std::vector<Index> proportional_cuts(Index n_rows, const std::vector<double>& weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<Index> cuts = {0};
  double before = 0;
  for (const double weight : weights) {
    before += weight;
    cuts.push_back(std::llround(static_cast<double>(n_rows) * before / total));
  }
  cuts.back() = n_rows;
  return cuts;
}

StripPlan proportional_plan(const StripModel& model, std::vector<int> order, const std::vector<double>& weights) {
  StripPlan plan = empty_strip_plan(model, std::move(order));
  for (OpId id = 0; id < model.size(); ++id)
    if (model.op(id).kind == StripKind::cut)
      plan.segments.push_back({.ops = {id}, .cuts = proportional_cuts(model.op(id).n_rows, weights)});
  return plan;
}

std::vector<Index> scaled_cuts(Index n_rows, std::vector<Index> like) {
  const Index all = like.back();
  for (Index& cut : like) cut = (cut * n_rows + all / 2) / all;
  return like;
}

std::vector<Index> cuts_for(Index n_rows, std::size_t position, std::size_t n_positions) {
  std::vector<Index> cuts(n_positions + 1, n_rows);
  for (std::size_t p = 0; p <= position; ++p) cuts[p] = 0;
  return cuts;
}

std::vector<double> throughputs(const StripModel& model) {
  std::vector<double> result;
  for (int rank = 0; rank < model.n_ranks(); ++rank) {
    double us = 0;
    for (OpId id = 0; id < model.size(); ++id) us += model.compute_us(rank, id, {0, model.op(id).n_rows});
    // A network without any work has no slow ranks.
    result.push_back(us > 0 ? 1 / us : 1);
  }
  return result;
}

std::vector<int> all_ranks(int n_ranks) {
  std::vector<int> ranks(at(n_ranks));
  std::iota(ranks.begin(), ranks.end(), 0);
  return ranks;
}

}  // namespace strake::partition

// SPDX-License-Identifier: Apache-2.0
#include "partition/baseline.hpp"

#include <cmath>
#include <numeric>

namespace strake::partition {

namespace {

template <class Cuts>
StripPlan layer_by_layer(const StripModel& model, const Cuts& cuts_of) {
  StripPlan plan = empty_strip_plan(model, all_ranks(model.n_ranks()));
  for (OpId id = 0; id < model.size(); ++id)
    if (model.op(id).kind == StripKind::cut)
      plan.segments.push_back({.ops = {id}, .cuts = cuts_of(model.op(id).n_rows)});
  return plan;
}

}  // namespace

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

StripPlan plan_equal(const StripModel& model) {
  return layer_by_layer(model, [&](Index n_rows) { return even_cuts(n_rows, model.n_ranks()); });
}

StripPlan plan_proportional(const StripModel& model) {
  const std::vector<double> weights = throughputs(model);
  return layer_by_layer(model, [&](Index n_rows) { return proportional_cuts(n_rows, weights); });
}

StripPlan plan_single(const StripModel& model) {
  StripPlan best;
  double best_us = 0;
  for (int rank = 0; rank < model.n_ranks(); ++rank) {
    StripPlan plan = empty_strip_plan(model, {rank});
    for (OpId id = 0; id < model.size(); ++id)
      if (model.op(id).kind == StripKind::cut) plan.segments.push_back({.ops = {id}, .cuts = {0, model.op(id).n_rows}});
    plan.home.assign(plan.home.size(), rank);
    const double us = predict_us(model, plan);
    if (rank == 0 || us < best_us) {
      best = std::move(plan);
      best_us = us;
    }
  }
  return best;
}

}  // namespace strake::partition

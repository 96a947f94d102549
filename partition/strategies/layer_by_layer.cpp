// SPDX-License-Identifier: Apache-2.0
// Strategies that cut every operator by itself, by rule.

#include <algorithm>

#include "partition/strategies/cuts.hpp"
#include "partition/strategies/strategies.hpp"
#include "partition/strip_clock.hpp"

namespace strake::partition {

namespace {

template <class CutsOf>
StripPlan layer_by_layer(const StripModel& model, const CutsOf& cuts_of) {
  StripPlan plan = empty_strip_plan(model, all_ranks(model.n_ranks()));
  for (OpId id = 0; id < model.size(); ++id)
    if (model.op(id).kind == StripKind::cut) plan.segments.push_back({.ops = {id}, .cuts = cuts_of(id)});
  return plan;
}

// Rows beyond its own that a strip of a reader needs on one side, at most. Who reads everything pulls no halo.
Index halo_of(const StripModel& model, OpId id) {
  Index halo = 0;
  for (const Reader& reader : model.op(id).readers) {
    const StripOp& op = model.op(reader.op);
    const RowMap& rows = op.inputs[reader.input].rows;
    const Index middle = op.n_rows / 2;
    const Index read = rows.read_by({middle, middle + 1}).size();
    const bool everything = read == model.op(id).n_rows && rows.read_by({0, 1}).size() == read;
    if (op.kind == StripKind::cut && !everything) halo = std::max(halo, read / 2);
  }
  return halo;
}

// In proportion to throughput among devices that get at least `threshold` rows; the others get none.
std::vector<Index> cuts_above(Index threshold, Index n_rows, std::vector<double> weights) {
  while (true) {
    std::vector<Index> cuts = proportional_cuts(n_rows, weights);
    std::size_t least = weights.size();
    for (std::size_t rank = 0; rank < weights.size(); ++rank)
      if (weights[rank] > 0 && cuts[rank + 1] - cuts[rank] < threshold &&
          (least == weights.size() || weights[rank] < weights[least]))
        least = rank;
    const auto n_left = std::count_if(weights.begin(), weights.end(), [](double weight) { return weight > 0; });
    if (least == weights.size() || n_left == 1) return cuts;
    weights[least] = 0;
  }
}

}  // namespace

StripPlan plan_equal(const StripModel& model) {
  return layer_by_layer(model, [&](OpId id) { return even_cuts(model.op(id).n_rows, model.n_ranks()); });
}

StripPlan plan_proportional(const StripModel& model) {
  return proportional_plan(model, all_ranks(model.n_ranks()), throughputs(model));
}

StripPlan plan_co_edge(const StripModel& model) {
  const std::vector<double> weights = throughputs(model);
  return layer_by_layer(
      model, [&](OpId id) { return cuts_above(std::max<Index>(halo_of(model, id), 1), model.op(id).n_rows, weights); });
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

// SPDX-License-Identifier: Apache-2.0
// Strategies that fuse layers into blocks whose halos are recomputed.

#include <limits>

#include "partition/course.hpp"
#include "partition/strategies/cuts.hpp"
#include "partition/strategies/strategies.hpp"
#include "partition/strip_clock.hpp"

namespace strake::partition {

namespace {

constexpr std::size_t gateway = 0;

// Even tiles of everything up to `last`, and the rest on the gateway.
StripPlan tiles_up_to(const StripModel& model, OpId last) {
  const std::vector<int> ranks = all_ranks(model.n_ranks());
  StripPlan plan = empty_strip_plan(model, ranks);
  plan.segments.push_back({{}, even_cuts(model.op(last).n_rows, model.n_ranks())});
  for (OpId id = 0; id < model.size(); ++id) {
    if (model.op(id).kind != StripKind::cut) continue;
    if (id <= last)
      plan.segments.front().ops.push_back(id);
    else
      plan.segments.push_back({{id}, cuts_for(model.op(id).n_rows, gateway, ranks.size())});
  }
  return plan;
}

}  // namespace

StripPlan plan_deep_things(const StripModel& model) {
  StripPlan best = empty_strip_plan(model, all_ranks(model.n_ranks()));
  double best_us = std::numeric_limits<double>::infinity();
  for (const Frontier& frontier : model.frontiers()) {
    StripPlan plan = tiles_up_to(model, frontier.op);
    const double us = predict_us(model, plan);
    if (us < best_us) {
      best = std::move(plan);
      best_us = us;
    }
    if (frontier.divides) break;
  }
  return best;
}

StripPlan plan_aofl(const StripModel& model) {
  return plan_fused(model, all_ranks(model.n_ranks()), [&](const Course& course, const std::vector<OpId>& ops) {
    return course.price(ops, even_cuts(model.op(ops.back()).n_rows, model.n_ranks()));
  });
}

StripPlan plan_deep_slicing(const StripModel& model) {
  const std::vector<double> weights = throughputs(model);
  return plan_fused(model, all_ranks(model.n_ranks()), [&](const Course& course, const std::vector<OpId>& ops) {
    return course.price(ops, proportional_cuts(model.op(ops.back()).n_rows, weights));
  });
}

}  // namespace strake::partition

// SPDX-License-Identifier: Apache-2.0
#include "partition/lean.hpp"

#include <algorithm>
#include <limits>

#include "partition/memory.hpp"
#include "partition/strategies/cuts.hpp"

namespace strake::partition {

namespace {

constexpr int most_steps = 16;
constexpr double step_of_weight = 0.8;  // what is left to the rank that holds most

// Every map cut in proportion to weights; what cannot be cut on one rank.
StripPlan weighted(const StripModel& model, const std::vector<double>& weights, int home) {
  StripPlan plan = proportional_plan(model, all_ranks(model.n_ranks()), weights);
  plan.home.assign(plan.home.size(), home);
  return plan;
}

std::vector<double> bytes_of(const StripModel& model, const StripPlan& plan) {
  return process_bytes(model.graph(), model.costs().profile(), to_plan(model, plan, "lean"));
}

}  // namespace

std::vector<LeanPlan> lean_plans(const std::vector<std::shared_ptr<const StripModel>>& models) {
  std::vector<LeanPlan> all;
  double least = std::numeric_limits<double>::infinity();
  std::size_t leanest = 0;
  for (const auto& model : models) {
    all.push_back({model, weighted(*model, std::vector<double>(at(model->n_ranks()), 1.0), 0)});
    const std::vector<double> bytes = bytes_of(*model, all.back().plan);
    const double most = *std::max_element(bytes.begin(), bytes.end());
    if (most >= least) continue;
    least = most;
    leanest = all.size() - 1;
  }
  const std::shared_ptr<const StripModel> model = all[leanest].model;
  std::vector<double> bytes = bytes_of(*model, all[leanest].plan);
  std::vector<double> weights(bytes.size(), 1.0);
  for (int i = 0; i < most_steps; ++i) {
    const auto most = std::max_element(bytes.begin(), bytes.end()) - bytes.begin();
    const auto fewest = std::min_element(bytes.begin(), bytes.end()) - bytes.begin();
    weights[at(most)] *= step_of_weight;
    all.push_back({model, weighted(*model, weights, static_cast<int>(fewest))});
    bytes = bytes_of(*model, all.back().plan);
  }
  return all;
}

}  // namespace strake::partition

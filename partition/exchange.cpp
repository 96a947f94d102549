// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <optional>

#include "partition/course.hpp"
#include "partition/strategies/cuts.hpp"

namespace strake::partition {

std::vector<StripPlan> plan_exchange(std::span<const StripModel* const> models, const std::vector<int>& order,
                                     TransferCosts transfers) {
  const auto change = [](const StripModel& model) {
    return model.channels_from() == no_channels ? model.size() : model.channels_from();
  };
  std::vector<std::size_t> by_change(models.size());
  std::iota(by_change.begin(), by_change.end(), std::size_t{0});
  std::ranges::stable_sort(by_change, {}, [&](std::size_t i) { return change(*models[i]); });
  // In the last model to change, what all others have before they change stands as well.
  const StripModel& last = *models[by_change.back()];
  Course common(last, order, transfers);
  OpId placed = 0;
  std::vector<std::optional<StripPlan>> plans(models.size());
  for (const std::size_t i : by_change) {
    common.place_each(placed, change(*models[i]));
    placed = std::max(placed, change(*models[i]));
    Course course = common.in(*models[i]);
    course.place_each(placed, last.size());
    plans[i] = course.plan();
  }
  std::vector<StripPlan> all;
  for (std::optional<StripPlan>& plan : plans) all.push_back(std::move(*plan));
  return all;
}

StripPlan plan_aligned(const StripModel& model, const std::vector<int>& order) {
  const std::vector<double> of_ranks = throughputs(model);
  std::vector<double> weights;
  for (const int rank : order) weights.push_back(of_ranks[at(rank)]);
  return proportional_plan(model, order, weights);
}

}  // namespace strake::partition

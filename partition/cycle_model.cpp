// SPDX-License-Identifier: Apache-2.0
#include "partition/cycle_model.hpp"

#include "partition/timeline.hpp"

namespace strake::partition {

namespace {

std::vector<OpCost> unrolled_costs(const std::vector<OpCost>& costs, const std::vector<OpId>& originals) {
  std::vector<OpCost> all;
  if (costs.empty()) return all;
  all.reserve(originals.size());
  for (const OpId original : originals) all.push_back(costs[at(original)]);
  return all;
}

Profile unrolled_profile(const CostModel& costs, const Unrolled& unrolled, int frames) {
  Profile profile = costs.profile();
  profile.model = unrolled.plan.model;
  for (std::size_t rank = 0; rank < profile.ranks.size(); ++rank) {
    RankProfile& mine = profile.ranks[rank];
    mine.ops = unrolled_costs(mine.ops, unrolled.originals);
    mine.channels = unrolled_costs(mine.channels, unrolled.originals);
    mine.whole_us *= frames;
    scale_times(mine, costs.factor(static_cast<int>(rank)));
  }
  return profile;
}

}  // namespace

CycleModel::CycleModel(const CostModel& model_costs, const Plan& plan)
    : unrolled(unroll(model_costs.graph(), plan)),
      costs(unrolled.graph, unrolled_profile(model_costs, unrolled, plan.frames)) {}

double predicted_cycle_us(const CostModel& costs, const Plan& plan) {
  const CycleModel cycle(costs, plan);
  return evaluate(cycle.costs, cycle.unrolled.plan).makespan_us;
}

}  // namespace strake::partition

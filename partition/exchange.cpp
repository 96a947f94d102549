// SPDX-License-Identifier: Apache-2.0
#include "partition/course.hpp"
#include "partition/strategies/cuts.hpp"

namespace strake::partition {

StripPlan plan_exchange(const StripModel& model, const std::vector<int>& order, TransferCosts transfers) {
  Course course(model, order, transfers);
  for (OpId id = 0; id < model.size(); ++id) {
    const StripKind kind = model.op(id).kind;
    if (kind == StripKind::whole) course.add_whole(id);
    if (kind == StripKind::cut) course.add({.ops = {id}, .cuts = course.divide({id}).cuts});
  }
  return course.plan();
}

StripPlan plan_aligned(const StripModel& model, const std::vector<int>& order) {
  const std::vector<double> of_ranks = throughputs(model);
  std::vector<double> weights;
  for (const int rank : order) weights.push_back(of_ranks[at(rank)]);
  return proportional_plan(model, order, weights);
}

}  // namespace strake::partition

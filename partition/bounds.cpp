// SPDX-License-Identifier: Apache-2.0
#include "partition/bounds.hpp"

#include <algorithm>

#include "partition/segment_cost.hpp"
#include "partition/strategies/cuts.hpp"

namespace strake::partition {

std::vector<double> whole_us(const CostModel& costs) {
  std::vector<double> us(at(costs.n_ranks()));
  for (int rank = 0; rank < costs.n_ranks(); ++rank)
    for (OpId id = 0; id < costs.graph().size(); ++id)
      us[at(rank)] += costs.compute_us(rank, id, whole(costs.graph().shape(id)));
  return us;
}

double ideal_speedup(const std::vector<double>& single_us) {
  if (single_us.empty()) return 1;
  double sum = 0;
  for (const double us : single_us) sum += 1 / us;
  return sum * *std::min_element(single_us.begin(), single_us.end());
}

double efficiency(const std::vector<double>& single_us, double cluster_us) {
  return *std::min_element(single_us.begin(), single_us.end()) / cluster_us / ideal_speedup(single_us);
}

double whole_rows_speedup(const CostModel& costs) {
  const StripModel model(costs);
  const std::vector<int> order = all_ranks(model.n_ranks());
  const Holdings nobody{input_rows(model), input_rows(model)};
  double cluster_us = 0;
  std::vector<double> single_us(order.size());
  for (OpId id = 0; id < model.size(); ++id) {
    const Interval all{0, model.op(id).n_rows};
    double least = model.compute_us(0, id, all);
    for (const int rank : order) {
      single_us[static_cast<std::size_t>(rank)] += model.compute_us(rank, id, all);
      least = std::min(least, model.compute_us(rank, id, all));
    }
    if (model.op(id).kind == StripKind::cut)
      least = SegmentCost(model, order, {id}, nobody, TransferCosts::ignored).divide().makespan_us;
    cluster_us += least;
  }
  return cluster_us > 0 ? *std::min_element(single_us.begin(), single_us.end()) / cluster_us : 1;
}

}  // namespace strake::partition

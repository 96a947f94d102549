// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/view.hpp"
#include "partition/strategies.hpp"
#include "partition/strips.hpp"

namespace strake::partition {

namespace {

// A device costs a * FLOPs + b; a from the whole model's measured time, b taken as 0 since it cannot be told apart.
double us_per_multiply_add(const CostModel& costs, int rank) {
  double work = 0;
  for (OpId id = 0; id < costs.graph().size(); ++id) work += multiply_adds(costs.graph(), id);
  return work > 0 ? costs.profile().ranks[static_cast<std::size_t>(rank)].whole_us / work : 0;
}

double strip_us(const CostModel& costs, OpId id, int rank, Interval rows) {
  if (rows.empty()) return 0;
  const Graph& graph = costs.graph();
  const Box box = with_axis(whole(graph.shape(id)), static_cast<std::size_t>(costs.strip_axis(id)), rows);
  double up = 0;
  const std::vector<Box> sources = input_boxes(graph, id, box);
  for (std::size_t i = 0; i < sources.size(); ++i)
    if (const Op& input = graph.op(graph.op(id).inputs[i]); as<Constant>(input) == nullptr)
      up += static_cast<double>(dense_bytes(sources[i], input.type));
  const auto down = static_cast<double>(dense_bytes(box, graph.op(id).type));
  return us_per_multiply_add(costs, rank) * multiply_adds(graph, id, box) + costs.transfer_us(0, rank, up) +
         costs.transfer_us(rank, 0, down);
}

std::vector<Interval> strips_of(const std::vector<Index>& counts) {
  std::vector<Interval> strips;
  Index begin = 0;
  for (const Index count : counts) {
    strips.push_back({begin, begin + count});
    begin += count;
  }
  return strips;
}

std::vector<double> times_of(const CostModel& costs, OpId id, const std::vector<Index>& counts) {
  std::vector<double> times;
  const std::vector<Interval> strips = strips_of(counts);
  for (std::size_t rank = 0; rank < counts.size(); ++rank)
    times.push_back(strip_us(costs, id, static_cast<int>(rank), strips[rank]));
  return times;
}

// At least one row everywhere, as far as there are rows: taken from the rank with most.
void leave_nobody_out(std::vector<Index>& counts) {
  for (Index& count : counts) {
    auto most = std::max_element(counts.begin(), counts.end());
    if (count == 0 && *most > 1) {
      --*most;
      ++count;
    }
  }
}

// One row at a time from the slowest to the fastest until the gap between them stops shrinking.
std::vector<Index> balanced(const CostModel& costs, OpId id, std::vector<Index> counts) {
  std::vector<double> times = times_of(costs, id, counts);
  while (true) {
    const auto slowest = static_cast<std::size_t>(std::max_element(times.begin(), times.end()) - times.begin());
    const auto fastest = static_cast<std::size_t>(std::min_element(times.begin(), times.end()) - times.begin());
    const double gap = times[slowest] - times[fastest];
    if (counts[slowest] <= 1) return counts;
    std::vector<Index> moved = counts;
    --moved[slowest];
    ++moved[fastest];
    const std::vector<double> moved_times = times_of(costs, id, moved);
    const auto [low, high] = std::minmax_element(moved_times.begin(), moved_times.end());
    if (*high - *low >= gap) return counts;
    counts = std::move(moved);
    times = moved_times;
  }
}

}  // namespace

Plan published_plan(const CostModel& costs) {
  const Graph& graph = costs.graph();
  Plan plan = proportional_plan(costs);
  for (OpId id = 0; id < graph.size(); ++id) {
    if (!is_computed(graph.op(id)) || costs.strip_axis(id) < 0) continue;
    const auto axis = static_cast<std::size_t>(costs.strip_axis(id));
    std::vector<Index> counts;
    for (int rank = 0; rank < plan.n_ranks; ++rank) {
      const BoxList& boxes = plan.boxes(id, rank);
      counts.push_back(boxes.empty() ? 0 : boxes.front()[axis].size());
    }
    leave_nobody_out(counts);
    set_strips(graph, plan, id, static_cast<int>(axis), strips_of(balanced(costs, id, std::move(counts))));
  }
  return plan;
}

}  // namespace strake::partition

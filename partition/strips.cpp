// SPDX-License-Identifier: Apache-2.0
#include "partition/strips.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/view.hpp"
#include "partition/timeline.hpp"

namespace strake::partition {

bool is_computed(const Op& op) { return as<Input>(op) == nullptr && as<Constant>(op) == nullptr; }

void set_strips(const Graph& graph, Plan& plan, OpId id, int axis, const std::vector<Interval>& strips) {
  const Box all = whole(graph.shape(id));
  for (int rank = 0; rank < plan.n_ranks; ++rank) {
    BoxList& boxes = plan.boxes(id, rank);
    boxes.clear();
    const Interval strip = strips[static_cast<std::size_t>(rank)];
    if (!strip.empty()) boxes.push_back(with_axis(all, static_cast<std::size_t>(axis), strip));
  }
}

std::vector<Interval> proportional_strips(Index rows, const std::vector<double>& weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<Interval> strips(weights.size());
  double sum = 0;
  Index begin = 0;
  for (std::size_t rank = 0; rank < weights.size(); ++rank) {
    sum += weights[rank];
    const auto end = static_cast<Index>(std::lround(static_cast<double>(rows) * sum / total));
    strips[rank] = {begin, end};
    begin = end;
  }
  return strips;
}

double fetch_us(const CostModel& costs, const Plan& plan, OpId id, int rank, const Box& dst) {
  const Graph& graph = costs.graph();
  const std::vector<OpId>& inputs = graph.op(id).inputs;
  const std::vector<Box> sources = input_boxes(graph, id, dst);
  std::vector<double> bytes(static_cast<std::size_t>(plan.n_ranks), 0);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (as<Constant>(graph.op(inputs[i])) != nullptr) continue;
    const auto element = static_cast<double>(size_of(graph.op(inputs[i]).type));
    for (const Box& missing : subtract(sources[i], plan.boxes(inputs[i], rank)))
      for (int src = 0; src < plan.n_ranks; ++src)
        for (const Box& have : plan.boxes(inputs[i], src))
          if (src != rank) {
            const Box part = intersect(missing, have);
            if (!part.empty()) bytes[static_cast<std::size_t>(src)] += element * static_cast<double>(part.volume());
          }
  }
  double us = 0;
  for (int src = 0; src < plan.n_ranks; ++src)
    us = std::max(us, costs.transfer_us(src, rank, bytes[static_cast<std::size_t>(src)]));
  return us;
}

void place_on_best_rank(const CostModel& costs, Plan& plan, OpId id, const std::vector<bool>& allowed) {
  const Box all = whole(costs.graph().shape(id));
  const auto bytes = static_cast<double>(dense_bytes(all, costs.graph().op(id).type));
  int best = 0;
  double best_us = std::numeric_limits<double>::infinity();
  for (int rank = 0; rank < plan.n_ranks; ++rank) {
    if (rank != 0 && !allowed[static_cast<std::size_t>(rank)]) continue;
    const double us =
        fetch_us(costs, plan, id, rank, all) + costs.compute_us(rank, id, all) + costs.transfer_us(rank, 0, bytes);
    if (us < best_us) {
      best = rank;
      best_us = us;
    }
  }
  for (int rank = 0; rank < plan.n_ranks; ++rank) plan.boxes(id, rank).clear();
  plan.boxes(id, best) = {all};
}

namespace {

bool receives_for(const Graph& graph, const Plan& plan, OpId id) {
  for (const OpId input : graph.op(id).inputs)
    for (int rank = 0; rank < plan.n_ranks; ++rank)
      for (const Box& box : plan.boxes(id, rank)) {
        const std::vector<Box> sources = input_boxes(graph, id, box);
        for (std::size_t i = 0; i < sources.size(); ++i)
          if (graph.op(id).inputs[i] == input && !subtract(sources[i], plan.boxes(input, rank)).empty()) return true;
      }
  return false;
}

// Tries overlap for each operator that receives anything, keeping it where the timeline gets shorter by more than the
// noise of the cost tables. Each trial is one run of the timeline; on links where waits are below the least gain
// nothing is tried.
void choose_overlap(const CostModel& costs, Plan& plan) {
  Timeline timeline = evaluate(costs, plan);
  const double least_gain = 0.002 * timeline.makespan_us;
  for (OpId id = 0; id < costs.graph().size(); ++id) {
    if (!is_computed(costs.graph().op(id)) || costs.strip_axis(id) < 0) continue;
    double longest_wait = 0;
    for (const auto& steps : timeline.ranks)
      for (const TimelineStep& step : steps)
        if (step.op == id) longest_wait = std::max(longest_wait, step.wait_us);
    if (longest_wait < least_gain || !receives_for(costs.graph(), plan, id)) continue;
    Overlap& overlap = plan.overlap[static_cast<std::size_t>(id)];
    overlap = Overlap::interior_first;
    Timeline with = evaluate(costs, plan);
    if (with.makespan_us < timeline.makespan_us - least_gain)
      timeline = std::move(with);
    else
      overlap = Overlap::none;
  }
}

}  // namespace

void finish_plan(const CostModel& costs, Plan& plan, const std::string& strategy) {
  plan.strategy = strategy;
  plan.axis = costs.profile().axis;
  place_constants(costs.graph(), plan);
  choose_overlap(costs, plan);
  plan.predicted_us = evaluate(costs, plan).makespan_us;
  check(costs.graph(), plan, plan.n_ranks);
}

}  // namespace strake::partition

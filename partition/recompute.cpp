// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "partition/oodp.hpp"
#include "partition/strategies.hpp"
#include "partition/strips.hpp"

namespace strake::partition {

namespace {

// Longer segments recompute more than they save on any link that was ever measured, and cost planning time.
constexpr int longest_segment = 8;
// Cuts of a segment's output that are tried.
constexpr Index most_cuts = 48;

std::size_t at(OpId id) { return static_cast<std::size_t>(id); }

// Boxes of every operator in (first, last] that `dst` of operator `last` needs. [op - first - 1]
std::vector<Box> backwards(const Graph& graph, OpId first, OpId last, const Box& dst) {
  std::vector<Box> boxes(at(last - first));
  for (OpId id = first + 1; id <= last; ++id) boxes[at(id - first - 1)] = nothing(graph.shape(id).size());
  boxes.back() = dst;
  for (OpId id = last; id > first; --id) {
    const Box& box = boxes[at(id - first - 1)];
    if (box.empty()) continue;
    const std::vector<Box> sources = input_boxes(graph, id, box);
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const OpId input = graph.op(id).inputs[i];
      if (input > first) boxes[at(input - first - 1)] = hull(boxes[at(input - first - 1)], sources[i]);
    }
  }
  return boxes;
}

// The segment (first, last] under a plan that already has everything up to `first`.
class Segment {
 public:
  Segment(const CostModel& costs, const Plan& plan, const std::vector<bool>& allowed, OpId first, OpId last)
      : costs_(costs), plan_(plan), allowed_(allowed), first_(first), last_(last) {}

  OodpResult divide() const {
    const Index rows = costs_.graph().shape(last_)[axis()];
    const Index granularity = (rows + most_cuts - 1) / most_cuts;
    std::vector<Index> cuts;
    for (Index cut = 0; cut < rows; cut += granularity) cuts.push_back(cut);
    cuts.push_back(rows);
    return oodp(plan_.n_ranks, cuts, [&](int rank, Interval strip) { return cost(rank, strip); });
  }

  void write(Plan& plan, const std::vector<Interval>& strips) const {
    for (int rank = 0; rank < plan.n_ranks; ++rank) {
      const Interval strip = strips[static_cast<std::size_t>(rank)];
      const std::vector<Box> boxes = boxes_for(strip);
      for (OpId id = first_ + 1; id <= last_; ++id) {
        if (!is_computed(costs_.graph().op(id))) continue;
        BoxList& list = plan.boxes(id, rank);
        list.clear();
        if (!strip.empty() && !boxes[at(id - first_ - 1)].empty()) list.push_back(boxes[at(id - first_ - 1)]);
      }
    }
  }

 private:
  [[nodiscard]] std::size_t axis() const { return static_cast<std::size_t>(costs_.strip_axis(last_)); }

  [[nodiscard]] std::vector<Box> boxes_for(Interval strip) const {
    return backwards(costs_.graph(), first_, last_, with_axis(whole(costs_.graph().shape(last_)), axis(), strip));
  }

  [[nodiscard]] double cost(int rank, Interval strip) const {
    if (!allowed_[static_cast<std::size_t>(rank)]) return std::numeric_limits<double>::infinity();
    const std::vector<Box> boxes = boxes_for(strip);
    double us = 0;
    for (OpId id = first_ + 1; id <= last_; ++id) {
      const Box& box = boxes[at(id - first_ - 1)];
      if (box.empty() || !is_computed(costs_.graph().op(id))) continue;
      us += costs_.compute_us(rank, id, box);
      // Only what lies before the segment is fetched; inside it everybody has what it needs.
      for (const OpId input : costs_.graph().op(id).inputs)
        if (input <= first_ && as<Constant>(costs_.graph().op(input)) == nullptr)
          us += fetch_us(costs_, plan_, id, rank, box);
    }
    return us;
  }

  const CostModel& costs_;
  const Plan& plan_;
  const std::vector<bool>& allowed_;
  OpId first_;
  OpId last_;
};

bool all_can_be_cut(const CostModel& costs, OpId first, OpId last) {
  for (OpId id = first + 1; id <= last; ++id)
    if (is_computed(costs.graph().op(id)) && costs.strip_axis(id) < 0) return false;
  return true;
}

int n_computed(const Graph& graph, OpId first, OpId last) {
  int n = 0;
  for (OpId id = first + 1; id <= last; ++id) n += is_computed(graph.op(id)) ? 1 : 0;
  return n;
}

// The best plan known up to an articulation point.
struct Prefix {
  Plan plan;
  double us = std::numeric_limits<double>::infinity();
};

}  // namespace

std::vector<OpId> articulation_points(const CostModel& costs) {
  const Graph& graph = costs.graph();
  std::vector<OpId> last_reader(graph.ops.size(), -1);
  for (OpId id = 0; id < graph.size(); ++id)
    for (const OpId input : graph.op(id).inputs) last_reader[at(input)] = id;
  std::vector<OpId> points;
  OpId furthest = -1;  // last reader of anything before `id`
  for (OpId id = 0; id < graph.size(); ++id) {
    if (is_computed(graph.op(id)) && furthest <= id && costs.strip_axis(id) >= 0) points.push_back(id);
    if (as<Constant>(graph.op(id)) == nullptr) furthest = std::max(furthest, last_reader[at(id)]);
  }
  return points;
}

Plan recompute_plan(const CostModel& costs, const std::vector<bool>& allowed) {
  const Graph& graph = costs.graph();
  const std::vector<OpId> points = articulation_points(costs);
  // Before the first point stand inputs and constants only, or operators that the first segment takes in.
  std::vector<OpId> ends{-1};
  ends.insert(ends.end(), points.begin(), points.end());
  std::vector<Prefix> best(ends.size());
  best[0] = {empty_plan(graph, costs.n_ranks()), 0};
  best[0].plan.axis = costs.profile().axis;
  std::size_t reached = 0;
  for (std::size_t end = 1; end < ends.size(); ++end) {
    for (std::size_t begin = end; begin-- > 0;) {
      const int length = n_computed(graph, ends[begin], ends[end]);
      if (begin + 1 < end && length > longest_segment) break;
      if (best[begin].us == std::numeric_limits<double>::infinity() || !all_can_be_cut(costs, ends[begin], ends[end]))
        continue;
      const Segment segment(costs, best[begin].plan, allowed, ends[begin], ends[end]);
      const OodpResult division = segment.divide();
      const double us = best[begin].us + division.makespan_us;
      if (us >= best[end].us) continue;
      Plan plan = best[begin].plan;
      segment.write(plan, division.strips);
      best[end] = {std::move(plan), us};
      reached = end;
    }
  }
  // What follows the last point (heads, tails) is cut tensor by tensor.
  Plan plan = best[reached].plan;
  Plan rest = exchange_plan(costs, allowed);
  for (OpId id = ends[reached] + 1; id < graph.size(); ++id)
    if (is_computed(graph.op(id)))
      for (int rank = 0; rank < plan.n_ranks; ++rank) plan.boxes(id, rank) = rest.boxes(id, rank);
  return plan;
}

}  // namespace strake::partition

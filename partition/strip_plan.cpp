// SPDX-License-Identifier: Apache-2.0
#include "partition/strip_plan.hpp"

#include <algorithm>

#include "partition/timeline.hpp"

namespace strake::partition {

namespace {

Interval own_share(const StripModel& model, const Segment& segment, OpId id, std::size_t position) {
  const Index n_rows = model.op(id).n_rows;
  const Index cut_rows = segment.cuts.back();
  return {segment.cuts[position] * n_rows / cut_rows, segment.cuts[position + 1] * n_rows / cut_rows};
}

void set_inputs(const StripModel& model, Rows& rows) {
  for (OpId id = 0; id < model.size(); ++id)
    if (model.op(id).kind == StripKind::input) rows[at(id)].front() = {0, model.op(id).n_rows};
}

}  // namespace

StripPlan empty_strip_plan(const StripModel& model, std::vector<int> order) {
  return {.order = std::move(order),
          .segments = {},
          .home = std::vector<int>(at(model.n_groups())),
          .overlap = std::vector<Overlap>(at(model.size()), Overlap::none)};
}

Rows input_rows(const StripModel& model) {
  Rows rows(model.size(), model.n_ranks());
  set_inputs(model, rows);
  return rows;
}

bool is_read_outside(const StripModel& model, const Segment& segment, OpId id) {
  const StripOp& op = model.op(id);
  if (op.is_output || id == segment.ops.back()) return true;
  return op.readers.empty() || std::any_of(op.readers.begin(), op.readers.end(), [&](const Reader& reader) {
           return !std::binary_search(segment.ops.begin(), segment.ops.end(), reader.op);
         });
}

void add_segment(const StripModel& model, const std::vector<int>& order, const Segment& segment, Rows& rows) {
  for (auto id = segment.ops.rbegin(); id != segment.ops.rend(); ++id) {
    const std::span<Interval> mine = rows[at(*id)];
    const bool outside = is_read_outside(model, segment, *id);
    for (std::size_t p = 0; p < order.size(); ++p) {
      Interval& own = mine[at(order[p])];
      if (outside) own = hull(own, own_share(model, segment, *id, p));
      // Readers stand behind it, so their rows are final.
      for (const StripInput& input : model.op(*id).inputs) {
        if (!std::binary_search(segment.ops.begin(), segment.ops.end(), input.src)) continue;
        Interval& needed = rows[at(input.src)][at(order[p])];
        needed = hull(needed, input.rows.read_by(own));
      }
    }
  }
}

StripPlan divided(const StripModel& model, StripPlan plan, std::size_t i, std::size_t n_ops) {
  Segment& second = plan.segments[i];
  const auto middle = second.ops.begin() + static_cast<std::ptrdiff_t>(n_ops);
  Segment first{.ops = {second.ops.begin(), middle}, .cuts = second.cuts};
  const Index n_rows = model.op(first.ops.back()).n_rows;
  for (Index& cut : first.cuts) cut = cut * n_rows / second.cuts.back();
  second.ops.erase(second.ops.begin(), middle);
  plan.segments.insert(plan.segments.begin() + static_cast<std::ptrdiff_t>(i), std::move(first));
  return plan;
}

StripPlan joined(StripPlan plan, std::size_t begin, std::size_t end) {
  std::vector<OpId> ops;
  for (std::size_t i = begin; i < end; ++i)
    ops.insert(ops.end(), plan.segments[i].ops.begin(), plan.segments[i].ops.end());
  plan.segments[end - 1].ops = std::move(ops);
  plan.segments.erase(plan.segments.begin() + static_cast<std::ptrdiff_t>(begin),
                      plan.segments.begin() + static_cast<std::ptrdiff_t>(end) - 1);
  return plan;
}

Rows rows_of(const StripModel& model, const StripPlan& plan) {
  Rows rows(model.size(), model.n_ranks());
  rows_of(model, plan, rows);
  return rows;
}

void rows_of(const StripModel& model, const StripPlan& plan, Rows& rows) {
  rows.clear();
  set_inputs(model, rows);
  for (const Segment& segment : plan.segments) add_segment(model, plan.order, segment, rows);
  for (OpId id = 0; id < model.size(); ++id)
    if (model.op(id).kind == StripKind::whole) rows[at(id)][at(plan.home[at(model.op(id).group)])] = {0, 1};
}

Plan to_plan(const StripModel& model, const StripPlan& strips, const std::string& strategy) {
  const Graph& graph = model.graph();
  const Rows rows = rows_of(model, strips);
  Plan plan = empty_plan(graph, model.n_ranks());
  plan.strategy = strategy;
  plan.axis = model.costs().profile().axis;
  plan.transfer_type = model.costs().profile().transfer_type;
  plan.overlap = strips.overlap;
  for (OpId id = 0; id < model.size(); ++id) {
    const StripKind kind = model.op(id).kind;
    if (kind == StripKind::input || kind == StripKind::constant) continue;
    for (int rank = 0; rank < model.n_ranks(); ++rank) {
      const Interval own = rows[at(id)][at(rank)];
      if (own.empty()) continue;
      plan.boxes(id, rank) = {model.box(id, own)};
    }
  }
  place_constants(graph, plan);
  check(graph, plan, plan.n_ranks);
  plan.predicted_us = evaluate(model.costs(), plan).makespan_us;
  return plan;
}

}  // namespace strake::partition

// SPDX-License-Identifier: Apache-2.0
#include "partition/strip_plan.hpp"

#include <algorithm>

#include "core/interior.hpp"
#include "partition/frame_clock.hpp"
#include "partition/timeline.hpp"

namespace strake::partition {

namespace {

// What the readers of `id` need on each rank. [rank]
std::vector<Interval> needed_rows(const StripModel& model, const Rows& rows, OpId id) {
  std::vector<Interval> needed(at(model.n_ranks()));
  if (model.op(id).is_output) needed.front() = {0, model.op(id).n_rows};
  for (const Reader& reader : model.op(id).readers) {
    const StripInput& input = model.op(reader.op).inputs[reader.input];
    for (std::size_t rank = 0; rank < needed.size(); ++rank)
      needed[rank] = hull(needed[rank], input.rows.read_by(rows[at(reader.op)][rank]));
  }
  return needed;
}

// Messages that bring `missing` to `dst` from the nearest ranks that have it, as `strake::transfers` chooses them.
void fetch(const std::vector<Interval>& have, int dst, Interval missing, double row_bytes, std::vector<Message>& list) {
  if (missing.empty()) return;
  const int n_ranks = static_cast<int>(have.size());
  for (int step = 2; step < 2 * n_ranks; ++step) {
    const int src = step % 2 == 0 ? dst - step / 2 : dst + step / 2;
    if (src < 0 || src >= n_ranks) continue;
    const Interval common = intersect(missing, have[at(src)]);
    if (common.empty()) continue;
    list.push_back({src, dst, row_bytes * static_cast<double>(common.size())});
    fetch(have, dst, {missing.begin, common.begin}, row_bytes, list);
    fetch(have, dst, {common.end, missing.end}, row_bytes, list);
    return;
  }
}

std::vector<Message> messages_of(const StripModel& model, const Rows& rows, OpId id) {
  const std::vector<Interval>& have = rows[at(id)];
  const std::vector<Interval> needed = needed_rows(model, rows, id);
  const double row_bytes = model.op(id).sent_row_bytes;
  std::vector<Message> messages;
  for (int rank = 0; rank < model.n_ranks(); ++rank) {
    const Interval need = needed[at(rank)];
    const Interval own = intersect(have[at(rank)], need);
    if (own.empty()) {
      fetch(have, rank, need, row_bytes, messages);
      continue;
    }
    fetch(have, rank, {need.begin, own.begin}, row_bytes, messages);
    fetch(have, rank, {own.end, need.end}, row_bytes, messages);
  }
  return messages;
}

bool is_local(const StripModel& model, const Rows& rows, OpId id, int rank, Interval dst) {
  const std::vector<StripInput>& inputs = model.op(id).inputs;
  return std::all_of(inputs.begin(), inputs.end(), [&](const StripInput& input) {
    return rows[at(input.src)][at(rank)].contains(input.rows.read_by(dst));
  });
}

// As `strake::split_interior`, in rows.
Work split_work(const StripModel& model, const Rows& rows, OpId id, int rank) {
  const Interval own = rows[at(id)][at(rank)];
  Interval inner = own;
  while (!inner.empty() && !is_local(model, rows, id, rank, {inner.begin, inner.begin + 1})) ++inner.begin;
  while (!inner.empty() && !is_local(model, rows, id, rank, {inner.end - 1, inner.end})) --inner.end;
  Work work{.us = model.compute_us(rank, id, own)};
  if (inner.empty() || !is_local(model, rows, id, rank, inner)) return work;
  for (const Interval part : interior_pieces(inner)) work.interior_us += model.compute_us(rank, id, part);
  work.border_us =
      model.compute_us(rank, id, {own.begin, inner.begin}) + model.compute_us(rank, id, {inner.end, own.end});
  return work;
}

Interval own_share(const StripModel& model, const Segment& segment, OpId id, std::size_t position) {
  const Index n_rows = model.op(id).n_rows;
  const Index cut_rows = segment.cuts.back();
  return {segment.cuts[position] * n_rows / cut_rows, segment.cuts[position + 1] * n_rows / cut_rows};
}

}  // namespace

StripPlan empty_strip_plan(const StripModel& model, std::vector<int> order) {
  return {.order = std::move(order),
          .segments = {},
          .home = std::vector<int>(at(model.n_groups())),
          .overlap = std::vector<Overlap>(at(model.size()), Overlap::none)};
}

Rows input_rows(const StripModel& model) {
  Rows rows(at(model.size()), std::vector<Interval>(at(model.n_ranks())));
  for (OpId id = 0; id < model.size(); ++id)
    if (model.op(id).kind == StripKind::input) rows[at(id)].front() = {0, model.op(id).n_rows};
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
    std::vector<Interval>& mine = rows[at(*id)];
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

Rows rows_of(const StripModel& model, const StripPlan& plan) {
  Rows rows = input_rows(model);
  for (const Segment& segment : plan.segments) add_segment(model, plan.order, segment, rows);
  for (OpId id = 0; id < model.size(); ++id)
    if (model.op(id).kind == StripKind::whole) rows[at(id)][at(plan.home[at(model.op(id).group)])] = {0, 1};
  return rows;
}

bool is_sent(const StripModel& model, const Rows& rows, OpId id) {
  const std::vector<Interval> needed = needed_rows(model, rows, id);
  for (std::size_t rank = 0; rank < needed.size(); ++rank)
    if (!rows[at(id)][rank].contains(needed[rank])) return true;
  return false;
}

double predict_us(const StripModel& model, const StripPlan& plan) {
  const Rows rows = rows_of(model, plan);
  FrameClock clock(model.costs());
  std::vector<OpId> outputs;
  for (OpId id = 0; id < model.size(); ++id) {
    const StripOp& op = model.op(id);
    if (op.kind == StripKind::constant) continue;
    const Overlap overlap = op.kind == StripKind::cut ? plan.overlap[at(id)] : Overlap::none;
    for (int rank = 0; rank < model.n_ranks(); ++rank) {
      const Interval own = rows[at(id)][at(rank)];
      if (own.empty()) continue;
      const Work work =
          overlap == Overlap::none ? Work{.us = model.compute_us(rank, id, own)} : split_work(model, rows, id, rank);
      (void)clock.compute(rank, id, op.input_ids, work, overlap);
    }
    clock.send(id, messages_of(model, rows, id));
    if (op.is_output) outputs.push_back(id);
  }
  return clock.finish(outputs);
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

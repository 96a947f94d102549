// SPDX-License-Identifier: Apache-2.0
#include "partition/strip_clock.hpp"

#include <algorithm>

#include "core/interior.hpp"

namespace strake::partition {

namespace {

// What the readers of `id` need on each rank. [rank]
void find_needed(const StripModel& model, const Rows& rows, OpId id, std::vector<Interval>& needed) {
  needed.assign(at(model.n_ranks()), Interval{});
  if (model.op(id).is_output) needed.front() = {0, model.op(id).n_rows};
  for (const Reader& reader : model.op(id).readers) {
    const RowMap& read = model.op(reader.op).inputs[reader.input].rows;
    const std::span<const Interval> of_reader = rows[at(reader.op)];
    for (std::size_t rank = 0; rank < needed.size(); ++rank)
      if (!of_reader[rank].empty()) needed[rank] = hull(needed[rank], read.read_by(of_reader[rank]));
  }
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

}  // namespace

StripClock::StripClock(const StripModel& model)
    : model_(model), rows_(model.size(), model.n_ranks()), clock_(model.costs()) {
  for (OpId id = 0; id < model.size(); ++id)
    if (model.op(id).is_output) outputs_.push_back(id);
}

double StripClock::predict_us(const StripPlan& plan, double enough_us) {
  rows_of(model_, plan, rows_);
  clock_.begin();
  for (OpId id = 0; id < model_.size(); ++id) {
    const StripOp& op = model_.op(id);
    if (op.kind == StripKind::constant) continue;
    const Overlap overlap = op.kind == StripKind::cut ? plan.overlap[at(id)] : Overlap::none;
    for (int rank = 0; rank < model_.n_ranks(); ++rank) {
      const Interval own = rows_[at(id)][at(rank)];
      if (own.empty()) continue;
      const Work work =
          overlap == Overlap::none ? Work{.us = model_.compute_us(rank, id, own)} : split_work(model_, rows_, id, rank);
      if (const double end_us = clock_.compute(rank, id, op.input_ids, work, overlap).end_us; end_us > enough_us)
        return end_us;
    }
    find_messages(id);
    clock_.send(id, messages_);
  }
  return clock_.finish(outputs_);
}

void StripClock::find_messages(OpId id) {
  constexpr int nearest = 2;
  find_needed(model_, rows_, id, needed_);
  messages_.clear();
  const std::span<const Interval> have = rows_[at(id)];
  for (int rank = 0; rank < model_.n_ranks(); ++rank) {
    const Interval need = needed_[at(rank)];
    if (have[at(rank)].contains(need)) continue;
    const Interval own = intersect(have[at(rank)], need);
    if (own.empty()) {
      fetch(id, rank, need, nearest);
      continue;
    }
    fetch(id, rank, {need.begin, own.begin}, nearest);
    fetch(id, rank, {own.end, need.end}, nearest);
  }
}

// Messages that bring `missing` to `dst` from the nearest ranks that have it, as `strake::transfers` chooses them.
// Those before `first_step` have nothing of it.
void StripClock::fetch(OpId id, int dst, Interval missing, int first_step) {
  if (missing.empty()) return;
  const std::span<const Interval> have = rows_[at(id)];
  const int n_ranks = model_.n_ranks();
  for (int step = first_step; step < 2 * n_ranks; ++step) {
    const int src = step % 2 == 0 ? dst - step / 2 : dst + step / 2;
    if (src < 0 || src >= n_ranks) continue;
    const Interval common = intersect(missing, have[at(src)]);
    if (common.empty()) continue;
    messages_.push_back({src, dst, model_.op(id).sent_row_bytes * static_cast<double>(common.size())});
    fetch(id, dst, {missing.begin, common.begin}, step + 1);
    fetch(id, dst, {common.end, missing.end}, step + 1);
    return;
  }
}

double predict_us(const StripModel& model, const StripPlan& plan) { return StripClock(model).predict_us(plan); }

bool is_sent(const StripModel& model, const Rows& rows, OpId id) {
  std::vector<Interval> needed;
  find_needed(model, rows, id, needed);
  for (std::size_t rank = 0; rank < needed.size(); ++rank)
    if (!rows[at(id)][rank].contains(needed[rank])) return true;
  return false;
}

}  // namespace strake::partition

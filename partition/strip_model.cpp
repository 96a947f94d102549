// SPDX-License-Identifier: Apache-2.0
#include "partition/strip_model.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "core/view.hpp"

namespace strake::partition {

namespace {

constexpr Index far_away = std::numeric_limits<Index>::max();

std::size_t at(Index index) { return static_cast<std::size_t>(index); }

Index rows_of(const Shape& shape, int axis) { return axis < 0 ? 1 : shape[at(axis)]; }

Box rows_box(const Shape& shape, int axis, Interval rows) {
  return axis < 0 ? whole(shape) : with_axis(whole(shape), at(axis), rows);
}

// An axis without rows has the one row 0.
Interval rows_in(const Box& box, int axis) {
  if (box.empty()) return {};
  return axis < 0 ? Interval{0, 1} : box[at(axis)];
}

StripInput edge(const Graph& graph, OpId id, std::size_t input, int dst_axis, int src_axis) {
  const Shape& dst = graph.shape(id);
  const OpId src_id = graph.op(id).inputs[input];
  const Shape& src = graph.shape(src_id);
  std::vector<Interval> of_row;
  for (Index row = 0; row < rows_of(dst, dst_axis); ++row)
    of_row.push_back(rows_in(input_boxes(graph, id, rows_box(dst, dst_axis, {row, row + 1}))[input], src_axis));
  const Box all = input_boxes(graph, id, whole(dst))[input];
  const auto read_rows = static_cast<double>(rows_in(all, src_axis).size());
  const double share = read_rows == 0
                           ? 0
                           : static_cast<double>(all.volume()) / read_rows *
                                 static_cast<double>(rows_of(src, src_axis)) / static_cast<double>(volume(src));
  return {.src = src_id, .rows = RowMap(std::move(of_row)), .share = share};
}

}  // namespace

RowMap::RowMap(std::vector<Interval> of_row)
    : of_row_(std::move(of_row)), least_begin_(of_row_.size(), far_away), greatest_end_(of_row_.size()) {
  Interval last;
  for (const Interval rows : of_row_) {
    if (rows.empty()) continue;
    ascending_ = ascending_ && last.begin <= rows.begin && last.end <= rows.end;
    last = rows;
  }
  Index begin = far_away;
  for (std::size_t i = of_row_.size(); i-- > 0;) {
    if (!of_row_[i].empty()) begin = std::min(begin, of_row_[i].begin);
    least_begin_[i] = begin;
  }
  Index end = 0;
  for (std::size_t i = 0; i < of_row_.size(); ++i) {
    if (!of_row_[i].empty()) end = std::max(end, of_row_[i].end);
    greatest_end_[i] = end;
  }
}

Interval RowMap::read_by(Interval dst) const {
  if (dst.empty()) return {};
  if (ascending_) {
    // Rows that read nothing lie at the ends only, as rows made of padding do.
    const Interval rows{least_begin_[at(dst.begin)], greatest_end_[at(dst.end - 1)]};
    return rows.empty() ? Interval{} : rows;
  }
  Interval rows;
  for (Index row = dst.begin; row < dst.end; ++row) rows = hull(rows, of_row_[at(row)]);
  return rows;
}

StripModel::StripModel(const CostModel& costs) : costs_(&costs) {
  const Graph& graph = costs.graph();
  for (OpId id = 0; id < graph.size(); ++id) axes_.push_back(axis_of(id));
  ops_.resize(graph.ops.size());
  for (OpId id = 0; id < graph.size(); ++id) add(id);
  for (const Port& port : graph.outputs) ops_[at(port.op)].is_output = true;
  find_groups();
  find_frontiers();
}

// Inputs are never cut, but rows of them are sent: along the axis on which a strip of a reader needs less than all.
int StripModel::axis_of(OpId id) const {
  const Graph& graph = costs_->graph();
  if (as<Input>(graph.op(id)) == nullptr) return costs_->strip_axis(id);
  for (OpId reader = id + 1; reader < graph.size(); ++reader) {
    const std::vector<OpId>& inputs = graph.op(reader).inputs;
    const auto found = std::find(inputs.begin(), inputs.end(), id);
    const int axis = costs_->strip_axis(reader);
    if (found == inputs.end() || axis < 0) continue;
    const auto input = at(found - inputs.begin());
    const Box strip = input_boxes(graph, reader, rows_box(graph.shape(reader), axis, {0, 1}))[input];
    const Box all = input_boxes(graph, reader, whole(graph.shape(reader)))[input];
    for (std::size_t source = 0; source < all.rank(); ++source)
      if (!(strip[source] == all[source])) return static_cast<int>(source);
  }
  return -1;
}

void StripModel::add(OpId id) {
  const Graph& graph = costs_->graph();
  const Op& from = graph.op(id);
  StripOp& op = ops_[at(id)];
  const int axis = axes_[at(id)];
  op.n_rows = rows_of(from.shape, axis);
  op.row_bytes = static_cast<double>(dense_bytes(whole(from.shape), from.type)) / static_cast<double>(op.n_rows);
  op.kind = axis < 0 ? StripKind::whole : StripKind::cut;
  if (as<Input>(from) != nullptr) op.kind = StripKind::input;
  if (as<Constant>(from) != nullptr) op.kind = StripKind::constant;
  for (std::size_t i = 0; i < from.inputs.size(); ++i) {
    const OpId src = from.inputs[i];
    if (this->op(src).kind == StripKind::constant) continue;
    op.inputs.push_back(edge(graph, id, i, axis, axes_[at(src)]));
    op.input_ids.push_back(src);
    std::vector<OpId>& readers = ops_[at(src)].readers;
    if (readers.empty() || readers.back() != id) readers.push_back(id);
  }
  for (int rank = 0; rank < n_ranks(); ++rank) {
    std::vector<double>& table = op.costs.emplace_back();
    for (Index rows = 0; rows <= op.n_rows; ++rows) table.push_back(costs_->compute_us(rank, id, rows));
  }
}

void StripModel::find_groups() {
  for (OpId id = 0; id < size(); ++id) {
    if (op(id).kind != StripKind::whole) continue;
    std::set<int> joined;
    for (const OpId src : op(id).input_ids)
      if (op(src).kind == StripKind::whole) joined.insert(op(src).group);
    const int group = joined.empty() ? n_groups_++ : *joined.begin();
    ops_[at(id)].group = group;
    for (OpId before = 0; before < id; ++before)
      if (joined.count(op(before).group) > 0) ops_[at(before)].group = group;
  }
}

void StripModel::find_frontiers() {
  std::vector<OpId> last_read(ops_.size(), -1);  // among cut operators
  std::vector<bool> leads_to_cut(ops_.size(), false);
  for (OpId id = size() - 1; id >= 0; --id) {
    for (const OpId reader : op(id).readers) {
      const bool cut = op(reader).kind == StripKind::cut;
      if (cut || leads_to_cut[at(reader)]) leads_to_cut[at(id)] = true;
      if (cut) last_read[at(id)] = std::max(last_read[at(id)], reader);
    }
  }
  OpId last_cut = -1;
  OpId live_until = -1;  // the last reader of any tensor before `last_cut`
  const auto end_run = [&](bool divides) {
    if (last_cut < 0) return;
    if (frontiers_.empty() || frontiers_.back().op != last_cut) frontiers_.push_back({last_cut, false});
    frontiers_.back().divides |= divides;
  };
  for (OpId id = 0; id < size(); ++id) {
    if (op(id).kind == StripKind::whole && leads_to_cut[at(id)]) end_run(true);
    if (op(id).kind != StripKind::cut) continue;
    if (live_until <= last_cut) end_run(false);
    if (last_cut >= 0) live_until = std::max(live_until, last_read[at(last_cut)]);
    last_cut = id;
  }
  end_run(false);
}

}  // namespace strake::partition

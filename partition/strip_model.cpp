// SPDX-License-Identifier: Apache-2.0
#include "partition/strip_model.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <set>

#include "core/view.hpp"

namespace strake::partition {

namespace {

constexpr Index far_away = std::numeric_limits<Index>::max();

Index rows_of(const Shape& shape, int axis) { return axis < 0 ? 1 : shape[at(axis)]; }

Box rows_box(const Shape& shape, int axis, Interval rows) {
  return axis < 0 ? whole(shape) : with_axis(whole(shape), at(axis), rows);
}

}  // namespace

RowMap::RowMap(std::vector<Interval> of_row)
    : of_row_(std::move(of_row)), least_begin_(of_row_.size(), far_away), greatest_end_(of_row_.size()) {
  for (std::size_t i = 0; i < of_row_.size(); ++i) same_ = same_ && of_row_[i].size() == 1 && at(of_row_[i].begin) == i;
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
  if (!ascending_) make_hulls();
}

// A sparse table, since planners ask for hulls of thousands of rows millions of times.
void RowMap::make_hulls() {
  hulls_ = {of_row_};
  for (std::size_t length = 1; 2 * length <= of_row_.size(); length *= 2) {
    const std::vector<Interval>& shorter = hulls_.back();
    std::vector<Interval> longer;
    for (std::size_t i = 0; i + 2 * length <= of_row_.size(); ++i)
      longer.push_back(hull(shorter[i], shorter[i + length]));
    hulls_.push_back(std::move(longer));
  }
}

Interval RowMap::read_elsewhere(Interval dst) const {
  if (dst.empty()) return {};
  if (ascending_) {
    // Rows that read nothing lie at the ends only, as rows made of padding do.
    const Interval rows{least_begin_[at(dst.begin)], greatest_end_[at(dst.end - 1)]};
    return rows.empty() ? Interval{} : rows;
  }
  const std::size_t length = std::bit_floor(static_cast<std::size_t>(dst.size()));
  const std::vector<Interval>& hulls = hulls_[static_cast<std::size_t>(std::countr_zero(length))];
  return hull(hulls[at(dst.begin)], hulls[at(dst.end) - length]);
}

StripModel::StripModel(const CostModel& costs, OpId channels_from) : StripModel(costs, nullptr, channels_from) {}

StripModel::StripModel(const StripModel& rows, OpId channels_from) : StripModel(rows.costs(), &rows, channels_from) {}

StripModel::StripModel(const CostModel& costs, const StripModel* rows, OpId channels_from)
    : costs_(&costs), channels_from_(channels_from) {
  const Graph& graph = costs.graph();
  ops_.resize(graph.ops.size());
  for (OpId id = 0; id < graph.size(); ++id) {
    axes_.push_back(axis_of(id));
    ops_[at(id)].by_channels = as<Input>(graph.op(id)) == nullptr && axes_.back() == 1 && costs.strip_axis(id) != 1;
    if (ops_[at(id)].by_channels) ops_[at(id)].row_cells = channel_block(graph, id);
  }
  for (OpId id = 0; id < graph.size(); ++id) {
    add(id);
    const StripOp* same = rows != nullptr && id < channels_from ? &rows->op(id) : nullptr;
    add_edges(id, same);
    if (same == nullptr) {
      add_costs(id);
      continue;
    }
    ops_[at(id)].costs = same->costs;
    ops_[at(id)].least = same->least;
  }
  for (const Port& port : graph.outputs) {
    StripOp& op = ops_[at(port.op)];
    op.is_output = true;
    op.sent_row_bytes = op.row_bytes;
  }
  find_groups();
  find_frontiers();
}

// Inputs are never cut, but rows of them are sent: along the axis on which a strip of a reader needs less than all.
int StripModel::axis_of(OpId id) const {
  const Graph& graph = costs_->graph();
  if (as<Input>(graph.op(id)) == nullptr) {
    const bool by_channels = channels_from_ != no_channels && id >= channels_from_ && channel_block(graph, id) > 0;
    return by_channels ? 1 : costs_->strip_axis(id);
  }
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

Box StripModel::box(OpId id, Interval rows) const {
  const Index cells = op(id).row_cells;
  return rows_box(graph().shape(id), axes_[at(id)], {rows.begin * cells, rows.end * cells});
}

// The rows that `box` touches. An axis without rows has the one row 0.
Interval StripModel::rows_in(OpId id, const Box& box) const {
  if (box.empty()) return {};
  const int axis = axes_[at(id)];
  if (axis < 0) return {0, 1};
  const Index cells = op(id).row_cells;
  return {box[at(axis)].begin / cells, (box[at(axis)].end + cells - 1) / cells};
}

StripInput StripModel::edge(OpId id, std::size_t input) const {
  const OpId src = graph().op(id).inputs[input];
  const Shape& shape = graph().shape(src);
  std::vector<Interval> of_row;
  for (Index row = 0; row < op(id).n_rows; ++row)
    of_row.push_back(rows_in(src, input_boxes(graph(), id, box(id, {row, row + 1}))[input]));
  const Box all = input_boxes(graph(), id, whole(graph().shape(id)))[input];
  const auto read_rows = static_cast<double>(rows_in(src, all).size());
  const double share = read_rows == 0 ? 0
                                      : static_cast<double>(all.volume()) / read_rows *
                                            static_cast<double>(op(src).n_rows) / static_cast<double>(volume(shape));
  return {.src = src, .rows = RowMap(std::move(of_row)), .share = share};
}

void StripModel::add(OpId id) {
  const Graph& graph = costs_->graph();
  const Op& from = graph.op(id);
  StripOp& op = ops_[at(id)];
  const int axis = axes_[at(id)];
  op.n_rows = rows_of(from.shape, axis) / op.row_cells;
  op.row_bytes = static_cast<double>(dense_bytes(whole(from.shape), from.type)) / static_cast<double>(op.n_rows);
  op.kind = axis < 0 ? StripKind::whole : StripKind::cut;
  if (as<Input>(from) != nullptr) op.kind = StripKind::input;
  if (as<Constant>(from) != nullptr) op.kind = StripKind::constant;
}

// @param same  the operator in a model where its edges are the same; nullptr if there is none
void StripModel::add_edges(OpId id, const StripOp* same) {
  StripOp& op = ops_[at(id)];
  const std::vector<OpId>& inputs = graph().op(id).inputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const OpId src = inputs[i];
    if (this->op(src).kind == StripKind::constant) continue;
    op.inputs.push_back(same != nullptr ? same->inputs[op.inputs.size()] : edge(id, i));
    op.input_ids.push_back(src);
    StripOp& from_op = ops_[at(src)];
    from_op.readers.push_back({id, op.inputs.size() - 1});
    from_op.sent_row_bytes = std::max(from_op.sent_row_bytes, from_op.row_bytes * op.inputs.back().share);
  }
}

void StripModel::add_costs(OpId id) {
  StripOp& op = ops_[at(id)];
  for (int rank = 0; rank < n_ranks(); ++rank) {
    for (Index rows = 0; rows <= op.n_rows; ++rows)
      op.costs.push_back(op.by_channels ? costs_->compute_us(rank, id, box(id, {0, rows}))
                                        : costs_->compute_us(rank, id, rows));
  }
  op.least = op.costs;
  for (int rank = 0; rank < n_ranks(); ++rank) {
    const std::size_t first = at(rank * (op.n_rows + 1));
    for (std::size_t rows = at(op.n_rows); rows-- > 0;)
      op.least[first + rows] = std::min(op.least[first + rows], op.least[first + rows + 1]);
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
    for (const Reader& reader : op(id).readers) {
      const bool cut = op(reader.op).kind == StripKind::cut;
      if (cut || leads_to_cut[at(reader.op)]) leads_to_cut[at(id)] = true;
      if (cut) last_read[at(id)] = std::max(last_read[at(id)], reader.op);
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

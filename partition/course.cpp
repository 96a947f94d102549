// SPDX-License-Identifier: Apache-2.0
#include "partition/course.hpp"

#include <algorithm>
#include <limits>

namespace strake::partition {

Course::Course(const StripModel& model, std::vector<int> order, TransferCosts transfers)
    : model_(&model),
      transfers_(transfers),
      plan_(empty_strip_plan(model, std::move(order))),
      holdings_{input_rows(model), input_rows(model)},
      placed_(at(model.n_groups())) {}

Division Course::divide(const std::vector<OpId>& ops) const {
  return SegmentCost(*model_, plan_.order, ops, holdings_, transfers_).divide();
}

Division Course::price(const std::vector<OpId>& ops, std::vector<Index> cuts) const {
  return SegmentCost(*model_, plan_.order, ops, holdings_, transfers_).price(std::move(cuts));
}

void Course::add(Segment segment) {
  add_segment(*model_, plan_.order, segment, holdings_.produced);
  hold_inputs(segment.ops);
  plan_.segments.push_back(std::move(segment));
}

void Course::add_whole(OpId id) {
  const int group = model_->op(id).group;
  int& home = plan_.home[at(group)];
  if (!placed_[at(group)]) {
    home = *std::min_element(plan_.order.begin(), plan_.order.end(), [&](int a, int b) {
      const double a_us = home_us(group, a);
      const double b_us = home_us(group, b);
      return a_us != b_us ? a_us < b_us : a < b;
    });
    placed_[at(group)] = true;
  }
  holdings_.produced[at(id)][at(home)] = {0, 1};
  hold_inputs({id});
}

void Course::place_each(OpId begin, OpId end) {
  for (OpId id = begin; id < end; ++id) {
    const StripKind kind = model_->op(id).kind;
    if (kind == StripKind::whole) add_whole(id);
    if (kind == StripKind::cut) add({.ops = {id}, .cuts = divide({id}).cuts});
  }
}

Course Course::in(const StripModel& model) const {
  Course course = *this;
  course.model_ = &model;
  return course;
}

double Course::home_us(int group, int rank) const {
  double us = 0;
  for (OpId id = 0; id < model_->size(); ++id) {
    const StripOp& op = model_->op(id);
    if (op.group != group) continue;
    us += model_->compute_us(rank, id, {0, 1});
    if (op.is_output) us += model_->costs().transfer_us(rank, 0, id, op.row_bytes);
    for (const StripInput& input : op.inputs) {
      const StripOp& src = model_->op(input.src);
      if (src.group == group) continue;
      const FetchCost fetch(model_->costs(), input.src, rank, holdings_.produced[at(input.src)],
                            holdings_.held[at(input.src)][at(rank)], src.n_rows, src.row_bytes * input.share);
      us += fetch.us(input.rows.read_by({0, 1}));
    }
  }
  return us;
}

void Course::hold_inputs(const std::vector<OpId>& ops) {
  for (const OpId id : ops) {
    for (std::size_t rank = 0; rank < at(model_->n_ranks()); ++rank) {
      const Interval own = holdings_.produced[at(id)][rank];
      holdings_.held[at(id)][rank] = hull(holdings_.held[at(id)][rank], own);
      for (const StripInput& input : model_->op(id).inputs) {
        Interval& held = holdings_.held[at(input.src)][rank];
        held = hull(held, input.rows.read_by(own));
      }
    }
  }
}

}  // namespace strake::partition

// SPDX-License-Identifier: Apache-2.0
// EdgeLD and its successor EdgeDI: blocks of fused layers, whose cuts move row by row.

#include <algorithm>

#include "partition/strategies/cuts.hpp"
#include "partition/strategies/strategies.hpp"

namespace strake::partition {

namespace {

constexpr int leader = 0;

// EdgeLD moves so many rows at most, and stops at a gap of so much of the slowest device's time.
constexpr int most_moves = 30;
constexpr double small_gap = 0.01;

/// Time of one operator on one device: a * FLOPs + b.
struct Line {
  double a = 0;
  double b = 0;
};

// Least squares over half the rows and all of them of every operator that is cut.
Line fit(const StripModel& model, int rank) {
  double n = 0;
  double x = 0;
  double y = 0;
  double xx = 0;
  double xy = 0;
  for (OpId id = 0; id < model.size(); ++id) {
    const StripOp& op = model.op(id);
    if (op.kind != StripKind::cut) continue;
    for (const Index rows : {std::max<Index>(op.n_rows / 2, 1), op.n_rows}) {
      const double flops =
          2 * multiply_adds(model.graph(), id) * static_cast<double>(rows) / static_cast<double>(op.n_rows);
      const double us = model.compute_us(rank, id, {0, rows});
      n += 1;
      x += flops;
      y += us;
      xx += flops * flops;
      xy += flops * us;
    }
  }
  const double spread = n * xx - x * x;
  if (n == 0) return {};
  if (spread <= 0) return {0, y / n};
  const double a = std::max((n * xy - x * y) / spread, 0.0);
  return {a, std::max((y - a * x) / n, 0.0)};
}

/// One block of fused layers and the cost of its devices.
class Block {
 public:
  Block(const StripModel& model, const std::vector<Line>& lines, std::vector<OpId> ops)
      : model_(model), lines_(lines), segment_{.ops = std::move(ops), .cuts = {}} {}

  // EdgeDI's: while the gap between the slowest and the fastest shrinks.
  Segment balance_while_it_helps() {
    start();
    while (move_a_row()) {
    }
    return std::move(segment_);
  }

  // EdgeLD's: until the gap is small or some device is down to a row; a move is never taken back.
  Segment balance_until_close() {
    start();
    for (int i = 0; i < most_moves; ++i) {
      const std::vector<double> now = costs();
      const auto [fastest, slowest] = std::minmax_element(now.begin(), now.end());
      if (*slowest - *fastest < small_gap * *slowest) break;
      Index least = rows_of(0);
      for (std::size_t rank = 1; rank < now.size(); ++rank) least = std::min(least, rows_of(rank));
      if (least <= 1) break;
      move(at(slowest - now.begin()), at(fastest - now.begin()));
    }
    return std::move(segment_);
  }

 private:
  [[nodiscard]] Index rows_of(std::size_t rank) const { return segment_.cuts[rank + 1] - segment_.cuts[rank]; }

  // Proportional to throughput; devices that got nothing take a row from whoever has most.
  void start() {
    const Index n_rows = model_.op(segment_.ops.back()).n_rows;
    segment_.cuts = proportional_cuts(n_rows, throughputs(model_));
    for (std::size_t rank = 0; rank < at(model_.n_ranks()); ++rank) {
      if (rows_of(rank) > 0) continue;
      std::size_t richest = 0;
      for (std::size_t other = 1; other < at(model_.n_ranks()); ++other)
        if (rows_of(other) > rows_of(richest)) richest = other;
      if (rows_of(richest) < 2) return;  // fewer rows than devices
      move(richest, rank);
    }
  }

  // All cuts between the two move by a row.
  void move(std::size_t from, std::size_t to) {
    for (std::size_t cut = std::min(from, to) + 1; cut <= std::max(from, to); ++cut)
      segment_.cuts[cut] += from < to ? -1 : 1;
  }

  bool move_a_row() {
    const std::vector<double> before = costs();
    const auto [fastest, slowest] = std::minmax_element(before.begin(), before.end());
    const auto from = at(slowest - before.begin());
    const auto to = at(fastest - before.begin());
    if (rows_of(from) < 2) return false;
    move(from, to);
    const std::vector<double> after = costs();
    const auto [least, most] = std::minmax_element(after.begin(), after.end());
    if (*most - *least < *slowest - *fastest) return true;
    move(to, from);
    return false;
  }

  // [rank]. Everything that a block reads comes from the leader, and its output goes there.
  std::vector<double> costs() const {
    Rows rows(model_.size(), model_.n_ranks());
    add_segment(model_, all_ranks(model_.n_ranks()), segment_, rows);
    std::vector<double> result(at(model_.n_ranks()));
    for (int rank = 0; rank < model_.n_ranks(); ++rank) {
      double& us = result[at(rank)];
      for (const OpId id : segment_.ops) us += compute_us(id, rank, rows[at(id)][at(rank)]);
      for (const OpId id : segment_.ops) us += transfer_us(id, rank, rows[at(id)][at(rank)]);
    }
    return result;
  }

  double compute_us(OpId id, int rank, Interval rows) const {
    if (rows.empty()) return 0;
    const double share = static_cast<double>(rows.size()) / static_cast<double>(model_.op(id).n_rows);
    return lines_[at(rank)].a * 2 * multiply_adds(model_.graph(), id) * share + lines_[at(rank)].b;
  }

  double transfer_us(OpId id, int rank, Interval rows) const {
    const StripOp& op = model_.op(id);
    double us = 0;
    for (const StripInput& input : op.inputs) {
      if (std::binary_search(segment_.ops.begin(), segment_.ops.end(), input.src)) continue;
      const auto n_rows = static_cast<double>(input.rows.read_by(rows).size());
      us += model_.costs().transfer_us(leader, rank, input.src, n_rows * input.share * model_.op(input.src).row_bytes);
    }
    if (is_read_outside(model_, segment_, id))
      us += model_.costs().transfer_us(rank, leader, id, static_cast<double>(rows.size()) * op.row_bytes);
    return us;
  }

  const StripModel& model_;
  const std::vector<Line>& lines_;
  Segment segment_;
};

// Ends of blocks: frontiers at which the map has another size than where the block began, and those that must be.
std::vector<std::vector<OpId>> blocks_of(const StripModel& model) {
  std::vector<std::vector<OpId>> blocks;
  std::vector<OpId> block;
  Index n_rows = -1;
  auto frontier = model.frontiers().begin();
  for (OpId id = 0; id < model.size(); ++id) {
    if (model.op(id).kind != StripKind::cut) continue;
    if (block.empty() && n_rows < 0) n_rows = model.op(id).n_rows;
    block.push_back(id);
    if (frontier->op != id) continue;
    const bool last = ++frontier == model.frontiers().end();
    if (!last && !(frontier - 1)->divides && model.op(id).n_rows == n_rows) continue;
    n_rows = model.op(id).n_rows;
    blocks.push_back(std::move(block));
    block.clear();
  }
  return blocks;
}

std::vector<Line> fit_all(const StripModel& model) {
  std::vector<Line> lines;
  for (int rank = 0; rank < model.n_ranks(); ++rank) lines.push_back(fit(model, rank));
  return lines;
}

}  // namespace

StripPlan plan_published(const StripModel& model) {
  StripPlan plan = empty_strip_plan(model, all_ranks(model.n_ranks()));
  const std::vector<Line> lines = fit_all(model);
  for (std::vector<OpId>& block : blocks_of(model))
    plan.segments.push_back(Block(model, lines, std::move(block)).balance_while_it_helps());
  return plan;
}

StripPlan plan_edge_ld(const StripModel& model) {
  StripPlan plan = empty_strip_plan(model, all_ranks(model.n_ranks()));
  const std::vector<Line> lines = fit_all(model);
  std::vector<OpId> block;
  const auto end_block = [&] {
    if (!block.empty()) plan.segments.push_back(Block(model, lines, std::move(block)).balance_until_close());
    block.clear();
  };
  for (OpId id = 0; id < model.size(); ++id) {
    if (model.op(id).kind != StripKind::cut) continue;
    if (as<Pool>(model.graph().op(id)) == nullptr) {
      block.push_back(id);
      continue;
    }
    end_block();
    plan.segments.push_back({{id}, cuts_for(model.op(id).n_rows, at(leader), plan.order.size())});
  }
  end_block();
  return plan;
}

}  // namespace strake::partition

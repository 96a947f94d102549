// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "partition/strategies/cuts.hpp"
#include "partition/strategies/strategies.hpp"

namespace strake::partition {

namespace {

constexpr double unreached = std::numeric_limits<double>::infinity();

/// Stages between frontiers, each on one rank, ranks in ascending order.
class Stages {
 public:
  explicit Stages(const StripModel& model) : model_(model), n_ranks_(at(model.n_ranks())) {
    for (const Frontier& frontier : model.frontiers()) ends_.push_back(frontier.op + 1);
    // What no strip waits for belongs to the last stage.
    if (ends_.empty()) ends_.push_back(model.size());
    ends_.back() = model.size();
    for (std::size_t rank = 0; rank < n_ranks_; ++rank) {
      std::vector<double>& us = compute_us_.emplace_back(1, 0.0);
      for (OpId id = 0; id < model.size(); ++id)
        us.push_back(us.back() + model.compute_us(static_cast<int>(rank), id, {0, model.op(id).n_rows}));
    }
    find();
  }

  /// [op]: its rank.
  [[nodiscard]] std::vector<std::size_t> ranks() const {
    std::size_t end = ends_.size();
    std::size_t rank = 0;
    for (std::size_t other = 1; other < n_ranks_; ++other)
      if (reached_[end][other].us < reached_[end][rank].us) rank = other;
    std::vector<std::size_t> ranks(at(model_.size()));
    while (end > 0) {
      const Step& step = reached_[end][rank];
      std::fill(ranks.begin() + begin_of(step.begin), ranks.begin() + ends_[end - 1], rank);
      end = step.begin;
      rank = step.before;
    }
    return ranks;
  }

 private:
  // The fastest way to have placed everything up to some frontier, with the last stage on some rank.
  struct Step {
    double us = unreached;    // of its slowest stage
    std::size_t begin = 0;   // frontier, from 1, where the last stage begins; 0 is the beginning
    std::size_t before = 0;  // rank of the stage before it
  };

  [[nodiscard]] OpId begin_of(std::size_t frontier) const { return frontier == 0 ? 0 : ends_[frontier - 1]; }

  void find() {
    reached_.assign(ends_.size() + 1, std::vector<Step>(n_ranks_));
    for (std::size_t end = 1; end <= ends_.size(); ++end)
      for (std::size_t rank = 0; rank < n_ranks_; ++rank)
        for (std::size_t begin = 0; begin < end; ++begin) consider(begin, end, rank);
  }

  void consider(std::size_t begin, std::size_t end, std::size_t rank) {
    const double compute = compute_us_[rank][at(ends_[end - 1])] - compute_us_[rank][at(begin_of(begin))];
    Step& best = reached_[end][rank];
    if (begin == 0) {
      const double us = compute + input_us(rank);
      if (us < best.us) best = {us, 0, rank};
      return;
    }
    const StripOp& tensor = model_.op(begin_of(begin) - 1);
    const double bytes = tensor.sent_row_bytes * static_cast<double>(tensor.n_rows);
    for (std::size_t before = 0; before < rank; ++before) {
      const double transfer = model_.costs().transfer_us(static_cast<int>(before), static_cast<int>(rank), bytes);
      const double us = std::max(reached_[begin][before].us, compute + transfer);
      if (us < best.us) best = {us, begin, before};
    }
  }

  // The user's inputs lie on rank 0.
  [[nodiscard]] double input_us(std::size_t rank) const {
    double us = 0;
    for (OpId id = 0; id < model_.size(); ++id) {
      const StripOp& op = model_.op(id);
      if (op.kind == StripKind::input)
        us += model_.costs().transfer_us(0, static_cast<int>(rank), op.row_bytes * static_cast<double>(op.n_rows));
    }
    return us;
  }

  const StripModel& model_;
  std::size_t n_ranks_;
  std::vector<OpId> ends_;                       // [frontier]: the first operator behind it
  std::vector<std::vector<double>> compute_us_;  // [rank][op]: of all operators before it
  std::vector<std::vector<Step>> reached_;       // [frontier, from 1][rank]
};

}  // namespace

StripPlan plan_pipeline(const StripModel& model) {
  const std::vector<std::size_t> ranks = Stages(model).ranks();
  const std::vector<int> all = all_ranks(model.n_ranks());
  StripPlan plan = empty_strip_plan(model, all);
  std::vector<bool> placed(plan.home.size(), false);
  for (OpId id = 0; id < model.size(); ++id) {
    const StripOp& op = model.op(id);
    if (op.kind == StripKind::cut) plan.segments.push_back({{id}, cuts_for(op.n_rows, ranks[at(id)], all.size())});
    // Operators that cannot be cut share the rank of the first of them.
    if (op.kind != StripKind::whole || placed[at(op.group)]) continue;
    placed[at(op.group)] = true;
    plan.home[at(op.group)] = static_cast<int>(ranks[at(id)]);
  }
  return plan;
}

}  // namespace strake::partition

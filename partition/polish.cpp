// SPDX-License-Identifier: Apache-2.0
#include "partition/polish.hpp"

#include <algorithm>

#include "partition/strategies/cuts.hpp"

namespace strake::partition {

namespace {

// Operators times squared ranks times evaluations: some tenths of a second.
constexpr double effort = 2e6;
constexpr double fewest_evaluations = 100;
constexpr double most_evaluations = 3000;

// Smaller gains are within the error of the prediction, but every split kernel surely costs.
constexpr double least_gain = 1e-6;
constexpr double least_gain_of_overlap = 1e-3;

constexpr std::size_t most_bends = 12;  // places tried for the end of a head or the begin of a tail on one rank
constexpr Index strides[] = {4, 2, 1};  // rows by which cuts move

class Search {
 public:
  Search(const StripModel& model, StripPlan plan)
      : model_(model), plan_(std::move(plan)), best_us_(predict_us(model, plan_)) {
    const double n_ranks = model.n_ranks();
    left_ =
        static_cast<int>(std::clamp(effort / (model.size() * n_ranks * n_ranks), fewest_evaluations, most_evaluations));
  }

  StripPlan run() {
    if (plan_.order.size() > 1) bend();
    move_groups();
    if (plan_.order.size() > 1)
      for (const Index stride : strides)
        while (move_cuts(stride)) {
        }
    choose_overlap();
    return std::move(plan_);
  }

 private:
  bool keep_if_better(StripPlan candidate, double gain = least_gain) {
    const double us = predict_us(model_, candidate);
    --left_;
    if (us >= best_us_ * (1 - gain)) return false;
    best_us_ = us;
    plan_ = std::move(candidate);
    return true;
  }

  // All rows of a segment for one position.
  void give_all(Segment& segment, std::size_t position) const {
    segment.cuts = cuts_for(segment.cuts.back(), position, plan_.order.size());
  }

  // Early maps are large to send, late ones small to share.
  void bend() {
    const std::size_t n = plan_.segments.size();
    const std::size_t step = std::max<std::size_t>(n / most_bends, 1);
    for (std::size_t position = 0; position < plan_.order.size(); ++position) {
      for (std::size_t end = step; end < n; end += step) {
        StripPlan head = plan_;
        for (std::size_t i = 0; i < end; ++i) give_all(head.segments[i], position);
        keep_if_better(std::move(head));
        StripPlan tail = plan_;
        for (std::size_t i = n - end; i < n; ++i) give_all(tail.segments[i], position);
        keep_if_better(std::move(tail));
      }
      if (left_ <= 0) return;
    }
  }

  void move_groups() {
    const std::vector<int> ranks = plan_.order;  // the plan is replaced under way
    for (std::size_t group = 0; group < plan_.home.size() && left_ > 0; ++group) {
      for (const int rank : ranks) {
        if (plan_.home[group] == rank) continue;
        StripPlan moved = plan_;
        moved.home[group] = rank;
        keep_if_better(std::move(moved));
      }
    }
  }

  bool move_cuts(Index stride) {
    bool better = false;
    for (std::size_t begin = 0; begin < plan_.segments.size();) {
      std::size_t end = begin + 1;
      while (end < plan_.segments.size() && plan_.segments[end].cuts == plan_.segments[begin].cuts) ++end;
      for (std::size_t cut = 1; cut + 1 < plan_.segments[begin].cuts.size(); ++cut)
        for (const Index step : {-stride, stride}) better |= move_cut(begin, end, cut, step);
      begin = end;
    }
    return better && left_ > 0;
  }

  bool move_cut(std::size_t begin, std::size_t end, std::size_t cut, Index step) {
    if (left_ <= 0) return false;
    StripPlan moved = plan_;
    for (std::size_t i = begin; i < end; ++i) {
      std::vector<Index>& cuts = moved.segments[i].cuts;
      cuts[cut] += step;
      if (cuts[cut] < cuts[cut - 1] || cuts[cut] > cuts[cut + 1]) return false;
    }
    return keep_if_better(std::move(moved));
  }

  // Not bounded by what the rest has used up: once over all operators is little.
  void choose_overlap() {
    const Rows rows = rows_of(model_, plan_);
    std::vector<bool> sent;  // [op]
    for (OpId id = 0; id < model_.size(); ++id) sent.push_back(is_sent(model_, rows, id));
    for (OpId id = 0; id < model_.size(); ++id) {
      if (model_.op(id).kind != StripKind::cut || model_.op(id).by_channels) continue;
      const std::vector<OpId>& inputs = model_.op(id).input_ids;
      if (std::none_of(inputs.begin(), inputs.end(), [&](OpId src) { return sent[at(src)]; })) continue;
      StripPlan candidate = plan_;
      candidate.overlap[at(id)] = Overlap::interior_first;
      keep_if_better(std::move(candidate), least_gain_of_overlap);
    }
  }

  const StripModel& model_;
  StripPlan plan_;
  double best_us_;
  int left_;
};

}  // namespace

StripPlan polish(const StripModel& model, StripPlan plan) { return Search(model, std::move(plan)).run(); }

}  // namespace strake::partition

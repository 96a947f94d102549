// SPDX-License-Identifier: Apache-2.0
#include "partition/polish.hpp"

#include <algorithm>

#include "partition/strategies/cuts.hpp"
#include "partition/strip_clock.hpp"

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
  Search(const StripModel& model, StripPlan plan, Segments segments)
      : model_(model), clock_(model), plan_(std::move(plan)), segments_(segments), best_us_(clock_.predict_us(plan_)) {
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
    // Whether to overlap depends on cuts, and the best cuts on what overlaps.
    do {
      while (plan_.order.size() > 1 && refine()) {
      }
    } while (choose_overlap() && left_ > 0);
    return std::move(plan_);
  }

 private:
  bool keep_if_better(StripPlan candidate, double gain = least_gain) {
    const double us = clock_.predict_us(candidate, best_us_);
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

  // @param overlap  interior_first: with it for the operators whose halo changes, since it may only pay with other cuts
  bool move_cut(std::size_t begin, std::size_t end, std::size_t cut, Index step, Overlap overlap = Overlap::none) {
    if (left_ <= 0) return false;
    StripPlan moved = plan_;
    for (std::size_t i = begin; i < end; ++i) {
      std::vector<Index>& cuts = moved.segments[i].cuts;
      cuts[cut] += step;
      if (cuts[cut] < cuts[cut - 1] || cuts[cut] > cuts[cut + 1]) return false;
    }
    if (overlap == Overlap::interior_first)
      for (std::size_t i = begin; i < std::min(end + 1, moved.segments.size()); ++i)
        for (const OpId id : moved.segments[i].ops)
          if (!model_.op(id).by_channels) moved.overlap[at(id)] = overlap;
    return keep_if_better(std::move(moved));
  }

  // Segments one by one.
  bool refine() {
    bool better = false;
    for (const Index stride : strides)
      for (std::size_t i = 0; i < plan_.segments.size(); ++i)
        for (std::size_t cut = 1; cut + 1 < plan_.segments[i].cuts.size(); ++cut)
          for (const Index step : {-stride, stride})
            better |= move_cut(i, i + 1, cut, step) || move_cut(i, i + 1, cut, step, Overlap::interior_first);
    for (std::size_t position = 0; position + 1 < plan_.order.size(); ++position) better |= swap(position);
    for (std::size_t i = 0; i < plan_.segments.size(); ++i)
      for (std::size_t position = 0; position < plan_.order.size(); ++position) better |= give_segment(i, position);
    if (segments_ == Segments::kept) return better && left_ > 0;
    for (std::size_t i = 0; i + 1 < plan_.segments.size(); ++i) better |= join(i);
    for (std::size_t i = 0; i < plan_.segments.size(); ++i)
      for (std::size_t n_ops = 1; n_ops < plan_.segments[i].ops.size(); ++n_ops) better |= split(i, n_ops);
    return better && left_ > 0;
  }

  // Two neighbours change places, each with as many rows as before.
  bool swap(std::size_t position) {
    if (left_ <= 0) return false;
    StripPlan swapped = plan_;
    std::swap(swapped.order[position], swapped.order[position + 1]);
    for (Segment& segment : swapped.segments)
      segment.cuts[position + 1] = segment.cuts[position] + segment.cuts[position + 2] - segment.cuts[position + 1];
    return keep_if_better(std::move(swapped));
  }

  bool give_segment(std::size_t i, std::size_t position) {
    if (left_ <= 0) return false;
    StripPlan given = plan_;
    give_all(given.segments[i], position);
    return keep_if_better(std::move(given));
  }

  // Recompute the halo between two segments instead of sending it.
  bool join(std::size_t i) {
    if (left_ <= 0) return false;
    return keep_if_better(joined(plan_, i, i + 2));
  }

  // And the other way round, with cuts at the same parts of the map.
  bool split(std::size_t i, std::size_t n_ops) {
    if (left_ <= 0 || n_ops >= plan_.segments[i].ops.size()) return false;
    return keep_if_better(divided(model_, plan_, i, n_ops));
  }

  // Not bounded by what the rest has used up: once over all operators is little. Says whether it changed anything.
  bool choose_overlap() {
    bool better = false;
    const Rows rows = rows_of(model_, plan_);
    std::vector<bool> sent;  // [op]
    for (OpId id = 0; id < model_.size(); ++id) sent.push_back(is_sent(model_, rows, id));
    for (OpId id = 0; id < model_.size(); ++id) {
      if (model_.op(id).kind != StripKind::cut || model_.op(id).by_channels) continue;
      const std::vector<OpId>& inputs = model_.op(id).input_ids;
      if (std::none_of(inputs.begin(), inputs.end(), [&](OpId src) { return sent[at(src)]; })) continue;
      StripPlan candidate = plan_;
      const bool has = candidate.overlap[at(id)] == Overlap::interior_first;
      candidate.overlap[at(id)] = has ? Overlap::none : Overlap::interior_first;
      better |= keep_if_better(std::move(candidate), has ? least_gain : least_gain_of_overlap);
    }
    return better;
  }

  const StripModel& model_;
  StripClock clock_;
  StripPlan plan_;
  Segments segments_;
  double best_us_;
  int left_;
};

}  // namespace

StripPlan polish(const StripModel& model, StripPlan plan, Segments segments) {
  return Search(model, std::move(plan), segments).run();
}

}  // namespace strake::partition

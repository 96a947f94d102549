// SPDX-License-Identifier: Apache-2.0
#include "partition/deepen.hpp"

#include <algorithm>

#include "partition/strategies/cuts.hpp"
#include "partition/strip_clock.hpp"

namespace strake::partition {

namespace {

// Operators times ranks times evaluations: some tenths of a second.
constexpr double trials_effort = 3e6;
// Smaller gains are within the error of the prediction.
constexpr double least_step = 1e-5;

// Parts of a map by which cuts move; at last by single rows.
constexpr Index parts[] = {8, 16, 32, 1 << 30};

class Descent {
 public:
  Descent(const StripModel& model, StripPlan plan, Segments segments)
      : model_(model),
        clock_(model),
        plan_(std::move(plan)),
        segments_(segments),
        best_us_(clock_.predict_us(plan_)),
        left_(static_cast<int>(trials_effort / (model.size() * static_cast<double>(model.n_ranks())))) {}

  StripPlan run() {
    if (plan_.order.size() < 2) return std::move(plan_);
    bool better = true;
    while (better && left_ > 0) {
      better = false;
      for (std::size_t length = plan_.segments.size(); length > 0; length /= 2) better |= pass(length);
      better |= choose_homes();
    }
    return std::move(plan_);
  }

 private:
  // Segments [begin, end).
  struct Stretch {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  bool pass(std::size_t length) {
    bool better = false;
    const std::size_t step = std::max<std::size_t>(length / 2, 1);
    for (std::size_t begin = 0; begin < plan_.segments.size() && left_ > 0; begin += step) {
      const Stretch stretch{begin, std::min(begin + length, plan_.segments.size())};
      better |= move_cuts(stretch);
      better |= leave_out(stretch);
      better |= give(stretch);
      if (length > 1) better |= align(stretch);
      if (segments_ == Segments::changed) better |= length > 1 ? join(stretch) : split(begin);
    }
    return better;
  }

  // Does something to the cuts of every segment of a stretch.
  template <class Change>
  bool change(Stretch stretch, const Change& change_cuts) {
    if (left_ <= 0) return false;
    std::vector<std::vector<Index>> before;  // of the stretch: to copy whole plans takes as long as to predict them
    bool same = true;
    for (std::size_t i = stretch.begin; i < std::min(stretch.end, plan_.segments.size()); ++i) {
      std::vector<Index>& cuts = plan_.segments[i].cuts;
      before.push_back(cuts);
      change_cuts(cuts);
      same = same && cuts == before.back();
    }
    if (!same && is_better(plan_)) return true;
    for (std::size_t i = 0; i < before.size(); ++i) plan_.segments[stretch.begin + i].cuts = std::move(before[i]);
    return false;
  }

  bool move_cuts(Stretch stretch) {
    bool better = false;
    for (std::size_t cut = 1; cut < plan_.order.size(); ++cut)
      for (const Index part : parts)
        for (const Index sign : {-1, 1})
          better |= change(stretch, [&](std::vector<Index>& cuts) {
            const Index step = std::max<Index>(cuts.back() / part, 1);
            cuts[cut] = std::clamp(cuts[cut] + sign * step, cuts[cut - 1], cuts[cut + 1]);
          });
    // A strip moves along, or grows on both sides.
    for (std::size_t position = 1; position + 1 < plan_.order.size(); ++position)
      for (const Index at_begin : {-1, 1})
        for (const Index at_end : {-1, 1})
          better |= change(stretch, [&](std::vector<Index>& cuts) {
            cuts[position] = std::clamp(cuts[position] + at_begin, cuts[position - 1], cuts[position + 1]);
            cuts[position + 1] = std::clamp(cuts[position + 1] + at_end, cuts[position], cuts[position + 2]);
          });
    return better;
  }

  // What a rank has goes to the next or the one before it.
  bool leave_out(Stretch stretch) {
    bool better = false;
    for (std::size_t position = 0; position < plan_.order.size(); ++position) {
      if (position > 0)
        better |= change(stretch, [&](std::vector<Index>& cuts) {
          for (std::size_t p = position; p > 0 && cuts[p] == cuts[position]; --p) cuts[p] = cuts[position + 1];
          for (std::size_t p = 1; p < cuts.size(); ++p) cuts[p] = std::max(cuts[p], cuts[p - 1]);
        });
      if (position + 1 < plan_.order.size())
        better |= change(stretch, [&](std::vector<Index>& cuts) { cuts[position + 1] = cuts[position]; });
    }
    return better;
  }

  bool give(Stretch stretch) {
    bool better = false;
    for (std::size_t position = 0; position < plan_.order.size(); ++position)
      better |= change(stretch,
                       [&](std::vector<Index>& cuts) { cuts = cuts_for(cuts.back(), position, plan_.order.size()); });
    return better;
  }

  // All as the first or the last of them.
  bool align(Stretch stretch) {
    bool better = false;
    for (const std::size_t pattern : {stretch.begin, stretch.end - 1}) {
      if (pattern >= plan_.segments.size()) continue;
      const std::vector<Index> like = plan_.segments[pattern].cuts;
      better |= change(stretch, [&](std::vector<Index>& cuts) { cuts = scaled_cuts(cuts.back(), like); });
    }
    return better;
  }

  // Halos are recomputed.
  bool join(Stretch stretch) {
    if (left_ <= 0 || stretch.end > plan_.segments.size() || stretch.end - stretch.begin < 2) return false;
    StripPlan candidate = joined(plan_, stretch.begin, stretch.end);
    if (!std::ranges::is_sorted(candidate.segments[stretch.begin].ops)) return false;
    return keep_if_better(std::move(candidate));
  }

  // Halos are exchanged.
  bool split(std::size_t i) {
    bool better = false;
    for (std::size_t n_ops = 1; i < plan_.segments.size() && n_ops < plan_.segments[i].ops.size(); ++n_ops) {
      if (left_ <= 0) return better;
      better |= keep_if_better(divided(model_, plan_, i, n_ops));
    }
    return better;
  }

  bool choose_homes() {
    const std::vector<int> ranks = plan_.order;  // the plan is replaced under way
    bool better = false;
    for (std::size_t group = 0; group < plan_.home.size(); ++group)
      for (const int rank : ranks) {
        if (left_ <= 0 || plan_.home[group] == rank) continue;
        StripPlan moved = plan_;
        moved.home[group] = rank;
        better |= keep_if_better(std::move(moved));
      }
    return better;
  }

  bool keep_if_better(StripPlan candidate) {
    if (!is_better(candidate)) return false;
    plan_ = std::move(candidate);
    return true;
  }

  bool is_better(const StripPlan& candidate) {
    --left_;
    const double us = clock_.predict_us(candidate, best_us_);
    if (us >= best_us_ * (1 - least_step)) return false;
    best_us_ = us;
    return true;
  }

  const StripModel& model_;
  StripClock clock_;
  StripPlan plan_;
  Segments segments_;
  double best_us_;
  int left_;
};

}  // namespace

StripPlan deepen(const StripModel& model, StripPlan plan, Segments segments) {
  return Descent(model, std::move(plan), segments).run();
}

}  // namespace strake::partition

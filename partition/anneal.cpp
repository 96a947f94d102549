// SPDX-License-Identifier: Apache-2.0
#include "partition/anneal.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <random>

#include "partition/strategies/cuts.hpp"
#include "partition/strip_clock.hpp"

namespace strake::partition {

namespace {

// Operators times ranks times evaluations: some tenths of a second.
constexpr double annealing_effort = 1.5e6;
constexpr double most_trials = 12000;

// Parts by which a plan may get slower in one step, at first and at last.
constexpr double first_temperature = 0.01;
constexpr double last_temperature = 2e-4;

// Parts of a map by which cuts move; the last are single rows.
constexpr Index part_sizes[] = {6, 12, 24, 48, 1 << 30, 1 << 30};

class Annealing {
 public:
  Annealing(const StripModel& model, StripPlan plan, Segments segments)
      : model_(model),
        clock_(model),
        plan_(std::move(plan)),
        best_(plan_),
        segments_(segments),
        speeds_(throughputs(model)),
        us_(clock_.predict_us(plan_)),
        best_us_(us_) {
    by_speed_.resize(plan_.order.size());
    std::iota(by_speed_.begin(), by_speed_.end(), std::size_t{0});
    std::ranges::stable_sort(by_speed_, std::ranges::greater{},
                             [this](std::size_t position) { return speed(position); });
  }

  StripPlan run() {
    if (plan_.order.size() < 2 || plan_.segments.empty()) return best_;
    const double n = std::min(annealing_effort / (model_.size() * static_cast<double>(model_.n_ranks())), most_trials);
    for (double i = 0; i < n; ++i) {
      temperature_ = first_temperature * std::pow(last_temperature / first_temperature, i / n);
      step();
    }
    return best_;
  }

 private:
  [[nodiscard]] double speed(std::size_t position) const { return speeds_[at(plan_.order[position])]; }
  std::size_t pick(std::size_t n) { return random_() % n; }
  double fraction() { return static_cast<double>(random_() >> 11U) * 0x1p-53; }

  void step() {
    const std::size_t n = plan_.segments.size();
    const std::size_t longest = std::bit_width(n);
    const std::size_t length = std::min<std::size_t>(n, std::size_t{1} << pick(longest));
    begin_ = pick(n - length + 1);
    end_ = begin_ + length;
    switch (pick(10)) {
      case 0:
      case 1:
      case 2:
        return move_cut();
      case 3:
        return leave();
      case 4:
        return enter();
      case 5:
        return copy();
      case 6:
        return share();
      case 7:
        return segments_ == Segments::changed ? join_or_split() : move_cut();
      case 8:
        return overlap();
      default:
        return pick(4) == 0 ? home() : move_cut();
    }
  }

  template <class Change>
  void change(const Change& change_cuts) {
    before_.clear();
    bool same = true;
    for (std::size_t i = begin_; i < end_; ++i) {
      std::vector<Index>& cuts = plan_.segments[i].cuts;
      before_.push_back(cuts);
      change_cuts(cuts);
      same = same && cuts == before_.back();
    }
    if (!same && accepted(plan_)) return;
    for (std::size_t i = 0; i < before_.size(); ++i) plan_.segments[begin_ + i].cuts = before_[i];
  }

  void move_cut() {
    const std::size_t cut = 1 + pick(plan_.order.size() - 1);
    const Index part = part_sizes[pick(std::size(part_sizes))];
    const Index sign = pick(2) == 0 ? 1 : -1;
    change([&](std::vector<Index>& cuts) {
      const Index step = std::max<Index>(cuts.back() / part, 1);
      const Index to = std::clamp<Index>(cuts[cut] + sign * step, 0, cuts.back());
      cuts[cut] = to;
      // Empty strips in between move along.
      for (std::size_t p = cut; p > 0 && cuts[p - 1] > cuts[p]; --p) cuts[p - 1] = to;
      for (std::size_t p = cut; p + 1 < cuts.size() && cuts[p + 1] < cuts[p]; ++p) cuts[p + 1] = to;
    });
  }

  void leave() {
    const std::size_t position = pick(plan_.order.size());
    const bool to_next = pick(2) == 0;
    change([&](std::vector<Index>& cuts) {
      const Index begin = cuts[position];
      const Index end = cuts[position + 1];
      if (begin == end || (begin == 0 && end == cuts.back())) return;
      if ((to_next && end < cuts.back()) || begin == 0)
        for (std::size_t p = position + 1; p < cuts.size() && cuts[p] == end; ++p) cuts[p] = begin;
      else
        for (std::size_t p = position + 1; p-- > 0 && cuts[p] == begin;) cuts[p] = end;
    });
  }

  // Rows in proportion to its speed, from its neighbours.
  void enter() {
    const std::size_t position = pick(plan_.order.size());
    const double part = speed(position) / std::accumulate(speeds_.begin(), speeds_.end(), 0.0) * (0.5 + 2 * fraction());
    const bool from_next = pick(2) == 0;
    change([&](std::vector<Index>& cuts) {
      if (cuts[position] < cuts[position + 1]) return;
      const Index rows = std::max<Index>(std::llround(part * static_cast<double>(cuts.back())), 1);
      if ((from_next && cuts[position] < cuts.back()) || cuts[position] == 0) {
        const Index to = std::min(cuts[position] + rows, cuts.back());
        for (std::size_t p = position + 1; p < cuts.size(); ++p) cuts[p] = std::max(cuts[p], to);
      } else {
        const Index to = std::max<Index>(cuts[position] - rows, 0);
        for (std::size_t p = 0; p <= position; ++p) cuts[p] = std::min(cuts[p], to);
      }
    });
  }

  void copy() {
    const bool from_before = begin_ > 0 && (end_ == plan_.segments.size() || pick(2) == 0);
    if (!from_before && end_ == plan_.segments.size()) return;
    const std::vector<Index> like = plan_.segments[from_before ? begin_ - 1 : end_].cuts;
    change([&](std::vector<Index>& cuts) { cuts = scaled_cuts(cuts.back(), like); });
  }

  // By the speed of the fastest few.
  void share() {
    std::vector<double> weights(plan_.order.size());
    const std::size_t n = 1 + pick(weights.size());
    for (const std::size_t position : std::span(by_speed_).first(n)) weights[position] = speed(position);
    change([&](std::vector<Index>& cuts) { cuts = proportional_cuts(cuts.back(), weights); });
  }

  void join_or_split() {
    if (end_ - begin_ > 1) {
      StripPlan candidate = joined(plan_, begin_, end_);
      if (std::ranges::is_sorted(candidate.segments[begin_].ops)) keep_if_accepted(std::move(candidate));
    } else if (const std::size_t n_ops = plan_.segments[begin_].ops.size(); n_ops > 1) {
      keep_if_accepted(divided(model_, plan_, begin_, 1 + pick(n_ops - 1)));
    }
  }

  void overlap() {
    StripPlan changed = plan_;
    const Overlap wanted = pick(2) == 0 ? Overlap::none : Overlap::interior_first;
    for (std::size_t i = begin_; i < end_; ++i)
      for (const OpId id : changed.segments[i].ops)
        if (!model_.op(id).by_channels) changed.overlap[at(id)] = wanted;
    if (changed.overlap != plan_.overlap) keep_if_accepted(std::move(changed));
  }

  void home() {
    if (plan_.home.empty()) return;
    StripPlan changed = plan_;
    changed.home[pick(plan_.home.size())] = plan_.order[pick(plan_.order.size())];
    if (changed.home != plan_.home) keep_if_accepted(std::move(changed));
  }

  void keep_if_accepted(StripPlan candidate) {
    if (accepted(candidate)) plan_ = std::move(candidate);
  }

  bool accepted(const StripPlan& candidate) {
    const double enough_us = us_ * (1 - temperature_ * std::log(1 - fraction()));
    const double us = clock_.predict_us(candidate, enough_us);
    if (us > enough_us) return false;
    us_ = us;
    if (us < best_us_) {
      best_us_ = us;
      best_ = candidate;
    }
    return true;
  }

  const StripModel& model_;
  StripClock clock_;
  StripPlan plan_;
  StripPlan best_;
  Segments segments_;
  std::vector<double> speeds_;         // [rank]
  std::vector<std::size_t> by_speed_;  // positions, the fastest first
  double us_;
  double best_us_;
  double temperature_ = 0;
  std::size_t begin_ = 0;  // of the stretch at hand
  std::size_t end_ = 0;
  std::vector<std::vector<Index>> before_;
  std::mt19937_64 random_{1};  // NOLINT(cert-msc51-cpp): the same plan for the same profile
};

// Ranks without rows stand behind the others.
StripPlan with_all_ranks(const StripModel& model, StripPlan plan) {
  for (int rank = 0; rank < model.n_ranks(); ++rank) {
    if (std::ranges::find(plan.order, rank) != plan.order.end()) continue;
    plan.order.push_back(rank);
    for (Segment& segment : plan.segments) segment.cuts.push_back(segment.cuts.back());
  }
  return plan;
}

StripPlan without_idle_ranks(StripPlan plan) {
  for (std::size_t position = plan.order.size(); position-- > 0;) {
    const bool has_rows = std::ranges::any_of(
        plan.segments, [&](const Segment& one) { return one.cuts[position] < one.cuts[position + 1]; });
    const bool is_home = std::ranges::find(plan.home, plan.order[position]) != plan.home.end();
    if (has_rows || is_home || plan.order.size() == 1) continue;
    const auto place = static_cast<std::ptrdiff_t>(position);
    plan.order.erase(plan.order.begin() + place);
    for (Segment& segment : plan.segments) segment.cuts.erase(segment.cuts.begin() + place + 1);
  }
  return plan;
}

}  // namespace

StripPlan anneal(const StripModel& model, StripPlan plan, Segments segments, Ranks ranks) {
  if (ranks == Ranks::any) plan = with_all_ranks(model, std::move(plan));
  return without_idle_ranks(Annealing(model, std::move(plan), segments).run());
}

}  // namespace strake::partition

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <numeric>

#include "partition/course.hpp"

namespace strake::partition {

namespace {

// Longer segments recompute more than they save on any link that a frame per second could cross.
constexpr std::size_t most_frontiers = 16;

// A segment this many times slower than the best way from its begin to its end only gets worse when it grows.
constexpr double hopeless = 1.5;

/// The best way to have placed everything up to one frontier.
struct Reached {
  Course course;
  double us = 0;
};

class Walk {
 public:
  Walk(const StripModel& model, const std::vector<int>& order, const Divide& divide) : model_(model), divide_(divide) {
    reached_.push_back({Course(model, order, TransferCosts::counted), 0});
    pass_whole(reached_.back().course, -1, next_cut(-1));
  }

  // Of everything up to the operator, behind which a frontier lies. Operators come in ascending order.
  const Course& up_to(OpId last) {
    while (last_op(reached_.size() - 1) < last) reach(reached_.size());
    return reached_.back().course;
  }

  StripPlan run() {
    while (reached_.size() <= model_.frontiers().size()) reach(reached_.size());
    Course& course = reached_.back().course;
    // What no strip waits for comes last, when all that it reads is placed.
    for (OpId id = 0; id < model_.size(); ++id)
      if (model_.op(id).kind == StripKind::whole) course.add_whole(id);
    return course.plan();
  }

 private:
  // Frontiers are numbered from 1; 0 is the beginning.
  OpId last_op(std::size_t frontier) const { return frontier == 0 ? -1 : model_.frontiers()[frontier - 1].op; }

  void reach(std::size_t end) {
    double best_us = std::numeric_limits<double>::infinity();
    std::size_t best_begin = 0;
    Segment best;
    for (std::size_t begin = end; begin-- > 0 && end - begin <= most_frontiers;) {
      const bool crosses = begin + 1 < end && model_.frontiers()[begin].divides;
      if (crosses) break;
      const std::vector<OpId> ops = cut_ops(last_op(begin), last_op(end));
      const Division division = divide_(reached_[begin].course, ops);
      const double us = reached_[begin].us + division.makespan_us;
      if (us < best_us) {
        best_us = us;
        best_begin = begin;
        best = {.ops = ops, .cuts = division.cuts};
      }
      if (division.makespan_us > hopeless * (best_us - reached_[begin].us)) break;
    }
    Reached next{reached_[best_begin].course, best_us};
    next.course.add(std::move(best));
    if (model_.frontiers()[end - 1].divides) pass_whole(next.course, last_op(end), next_cut(last_op(end)));
    reached_.push_back(std::move(next));
  }

  std::vector<OpId> cut_ops(OpId behind, OpId last) const {
    std::vector<OpId> ops;
    for (OpId id = behind + 1; id <= last; ++id)
      if (model_.op(id).kind == StripKind::cut) ops.push_back(id);
    return ops;
  }

  OpId next_cut(OpId behind) const {
    OpId id = behind + 1;
    while (id < model_.size() && model_.op(id).kind != StripKind::cut) ++id;
    return id;
  }

  void pass_whole(Course& course, OpId behind, OpId end) {
    for (OpId id = behind + 1; id < end; ++id)
      if (model_.op(id).kind == StripKind::whole) course.add_whole(id);
  }

  const StripModel& model_;
  const Divide& divide_;
  std::vector<Reached> reached_;  // [frontier]
};

Division best_cuts(const Course& course, const std::vector<OpId>& ops) { return course.divide(ops); }

}  // namespace

StripPlan plan_fused(const StripModel& model, const std::vector<int>& order, const Divide& divide) {
  return Walk(model, order, divide).run();
}

StripPlan plan_recompute(const StripModel& model, const std::vector<int>& order) {
  return plan_fused(model, order, best_cuts);
}

std::vector<StripPlan> plan_recompute_then_exchange(std::span<const StripModel* const> models,
                                                    const std::vector<int>& order) {
  // In the last model to change, what all others have before they change stands as well.
  std::vector<std::size_t> by_change(models.size());
  std::iota(by_change.begin(), by_change.end(), std::size_t{0});
  std::ranges::stable_sort(by_change, {}, [&](std::size_t i) { return models[i]->channels_from(); });
  const Divide divide = best_cuts;
  Walk walk(*models[by_change.back()], order, divide);
  std::vector<StripPlan> plans(models.size());
  for (const std::size_t i : by_change) {
    const OpId change = models[i]->channels_from();
    Course course = walk.up_to(change - 1).in(*models[i]);
    course.place_each(change, models[i]->size());
    plans[i] = course.plan();
  }
  return plans;
}

}  // namespace strake::partition

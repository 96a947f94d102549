// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A plan in strips under way: operators are placed one after the other, each in view of those before it.

#include <functional>
#include <span>

#include "partition/segment_cost.hpp"

namespace strake::partition {

class Course {
 public:
  Course(const StripModel& model, std::vector<int> order, TransferCosts transfers);

  /// The best cuts of these operators as the next segment; nothing changes.
  [[nodiscard]] Division divide(const std::vector<OpId>& ops) const;

  /// What given cuts of them take; nothing changes.
  [[nodiscard]] Division price(const std::vector<OpId>& ops, std::vector<Index> cuts) const;

  void add(Segment segment);

  /// Places an operator that cannot be cut, with all that share its rank if it is the first of them: where compute and
  /// transfers, as far as they are known, cost least.
  void add_whole(OpId id);

  /// Places operators [begin, end) one after the other: those that are cut as segments of their own, with the best
  /// cuts.
  void place_each(OpId begin, OpId end);

  /// The same course in another model, which has been like this one for all that is placed.
  [[nodiscard]] Course in(const StripModel& model) const;

  [[nodiscard]] const StripPlan& plan() const { return plan_; }

 private:
  [[nodiscard]] double home_us(int group, int rank) const;
  void hold_inputs(const std::vector<OpId>& ops);

  const StripModel* model_;
  TransferCosts transfers_;
  StripPlan plan_;
  Holdings holdings_;
  std::vector<bool> placed_;  // [group]
};

/// Exchange: each operator is a segment of its own. The models are of one graph and profile; what is before the change
/// from rows to channels in several of them is planned once.
/// @returns [model]
[[nodiscard]] std::vector<StripPlan> plan_exchange(std::span<const StripModel* const> models,
                                                   const std::vector<int>& order, TransferCosts transfers);

/// The same share of every map for each rank, by its throughput: maps end at the same places, so that nothing but halos
/// travels. Where links are slow, cuts that follow what each operator costs on each rank pay for that again and again.
[[nodiscard]] StripPlan plan_aligned(const StripModel& model, const std::vector<int>& order);

/// Says how the operators of a segment are cut, and what that takes.
using Divide = std::function<Division(const Course& course, const std::vector<OpId>& ops)>;

/// Segments between frontiers that recompute their halos; where they end is found by dynamic programming over their
/// makespans.
[[nodiscard]] StripPlan plan_fused(const StripModel& model, const std::vector<int>& order, const Divide& divide);

/// Recompute: fused segments with the best cuts.
[[nodiscard]] StripPlan plan_recompute(const StripModel& model, const std::vector<int>& order);

/// Fused segments up to the change from rows to channels, exchange behind it; what is before the change in several
/// models is planned once.
/// @param models  of one graph and profile, each with a change behind one of its frontiers
/// @returns [model]
[[nodiscard]] std::vector<StripPlan> plan_recompute_then_exchange(std::span<const StripModel* const> models,
                                                                  const std::vector<int>& order);

}  // namespace strake::partition

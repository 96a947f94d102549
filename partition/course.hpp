// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A plan in strips under way: operators are placed one after the other, each in view of those before it.

#include "partition/segment_cost.hpp"

namespace strake::partition {

class Course {
 public:
  Course(const StripModel& model, std::vector<int> order, TransferCosts transfers);

  /// The best cuts of these operators as the next segment; nothing changes.
  [[nodiscard]] Division divide(const std::vector<OpId>& ops) const;

  void add(Segment segment);

  /// Places an operator that cannot be cut, with all that share its rank if it is the first of them: where compute and
  /// transfers, as far as they are known, cost least.
  void add_whole(OpId id);

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

/// Exchange: each operator is a segment of its own.
[[nodiscard]] StripPlan plan_exchange(const StripModel& model, const std::vector<int>& order, TransferCosts transfers);

/// Recompute: segments between frontiers, divided by dynamic programming over their makespans.
[[nodiscard]] StripPlan plan_recompute(const StripModel& model, const std::vector<int>& order);

}  // namespace strake::partition

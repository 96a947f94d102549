// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `evaluate` in rows instead of boxes, for planners that try many plans.

#include <limits>
#include <vector>

#include "partition/frame_clock.hpp"
#include "partition/strip_plan.hpp"

namespace strake::partition {

/// Predicts plans of one model, again and again in the same memory.
class StripClock {
 public:
  /// @param model  outlives it
  explicit StripClock(const StripModel& model);

  /// Microseconds of a frame.
  /// @param enough_us  above it any answer above it is as good: the frame is over once a rank still computes then
  [[nodiscard]] double predict_us(const StripPlan& plan, double enough_us = std::numeric_limits<double>::infinity());

 private:
  void find_messages(OpId id);
  void fetch(OpId id, int dst, Interval missing, int first_step);

  const StripModel& model_;
  Rows rows_;
  FrameClock clock_;
  std::vector<OpId> outputs_;
  std::vector<Interval> needed_;  // [rank]
  std::vector<Message> messages_;
};

/// Of one plan.
[[nodiscard]] double predict_us(const StripModel& model, const StripPlan& plan);

/// True when some rank needs rows of `id` that another one produces.
[[nodiscard]] bool is_sent(const StripModel& model, const Rows& rows, OpId id);

}  // namespace strake::partition

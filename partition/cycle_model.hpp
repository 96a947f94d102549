// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Costs of several frames in flight: a cycle as one graph, with what the model costs for each of its frames.

#include "core/unroll.hpp"
#include "partition/cost_model.hpp"

namespace strake::partition {

/// Its parts refer to each other.
struct CycleModel {
  /// @param costs  of the model, whose graph must outlive neither this nor its parts
  /// @param plan   of any number of frames
  CycleModel(const CostModel& costs, const Plan& plan);
  CycleModel(const CycleModel&) = delete;
  CycleModel& operator=(const CycleModel&) = delete;

  Unrolled unrolled;
  CostModel costs;  // of `unrolled.graph`
};

/// Microseconds from the inputs of all frames of a cycle until rank 0 has all their outputs, by the timeline.
[[nodiscard]] double predicted_cycle_us(const CostModel& costs, const Plan& plan);

}  // namespace strake::partition

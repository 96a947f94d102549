// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What no plan can beat: see docs/planning.md, "Bounds".

#include "partition/cost_model.hpp"

namespace strake::partition {

/// Microseconds that `evaluate` exceeds or equals for every valid plan of this graph on these ranks and links:
/// operators cut into any fractions, each at the lowest price per cell that the profile has, messages hidden behind
/// computing.
[[nodiscard]] double frame_bound_us(const CostModel& costs);

}  // namespace strake::partition

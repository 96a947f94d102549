// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Plans for many frames: who takes which, several in flight; see docs/planning.md.

#include <string>

#include "partition/cost_model.hpp"
#include "partition/planner.hpp"

namespace strake::partition {

/// A cycle of frames, with its predicted time and notes on what lost. Compared on the timeline, under "auto":
///
/// - "data-parallel": whole frames for each rank, as many in a cycle as its speed allows,
/// - "frame-groups": groups of ranks of like total speed, each of which splits frames of its own,
/// - "pipeline": contiguous layers on each rank (PICO), and
/// - the plan of least latency, one frame after the other.
///
/// Any other strategy is run with as many frames in flight as help.
/// @param goal  its limit of memory and the rate that is offered
/// @throws InvalidInput if nobody knows the strategy, or if no cycle that was tried keeps every rank within the limit
[[nodiscard]] Plan make_throughput_plan(const CostModel& costs, const std::string& strategy, const Goal& goal = {});

/// Whether plans of a strategy are always cycles: "data-parallel" and "frame-groups".
[[nodiscard]] bool needs_frames_in_flight(const std::string& strategy);

}  // namespace strake::partition

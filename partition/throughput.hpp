// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Plans for many frames: who takes which, several in flight; see docs/planning.md.

#include <string>

#include "partition/cost_model.hpp"

namespace strake::partition {

/// A cycle of frames, with its predicted time and notes on what lost. Compared on the timeline, under "auto":
///
/// - "data-parallel": whole frames for each rank, as many in a cycle as its speed allows,
/// - "frame-groups": groups of ranks of like total speed, each of which splits frames of its own,
/// - "pipeline": contiguous layers on each rank (PICO), and
/// - the plan of least latency, one frame after the other.
///
/// Any other strategy is run with as many frames in flight as help.
/// @param offered_fps  frames that come each second: of the plans that keep up, the one whose frames take least; 0 for
///                     as many as can be
/// @throws InvalidInput if nobody knows the strategy
[[nodiscard]] Plan make_throughput_plan(const CostModel& costs, const std::string& strategy, double offered_fps = 0);

/// Whether plans of a strategy are always cycles: "data-parallel" and "frame-groups".
[[nodiscard]] bool needs_frames_in_flight(const std::string& strategy);

}  // namespace strake::partition

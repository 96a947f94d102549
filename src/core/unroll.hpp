// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Several frames as one: planners, timelines and programs then need not know that frames overlap.

#include <span>
#include <vector>

#include "core/plan.hpp"

namespace strake {

/// Of a cycle.
constexpr int most_frames_in_flight = 1024;

/// The plan of one frame of a cycle.
/// @param frame  from 0 to `plan.frames`, that one not included
[[nodiscard]] Plan frame_plan(const Plan& plan, int frame);

/// A cycle of these frames, each planned alone for the same model and ranks. Epoch, axis and notes are the first one's.
[[nodiscard]] Plan cycle_plan(std::vector<Plan> frames, std::string strategy);

/// The frames of a cycle as one graph that shares weights and constants, and their plan for it. All inputs come first,
/// so that they are on their way before rank 0 begins to compute; the operators of frame after frame follow.
struct Unrolled {
  Graph graph;                  // weights without values; ports of frame after frame, under the names of the model
  Plan plan;                    // one frame: of that graph
  std::vector<OpId> originals;  // [op]: the operator of the model
  std::vector<int> frames;      // [op]: the frame that it belongs to; 0 for constants
};

[[nodiscard]] Unrolled unroll(const Graph& graph, const Plan& plan);

/// The inputs (or outputs) of one frame, from those of an unrolled graph, or of a graph for `n_frames` 1.
[[nodiscard]] std::span<const Port> ports_of(const std::vector<Port>& ports, int frame, int n_frames);

}  // namespace strake

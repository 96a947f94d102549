// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What every plan must compute, however it cuts the maps.

#include <utility>
#include <vector>

#include "core/graph.hpp"

namespace strake::partition {

/// An edge of the graph over which cells travel in proportion: whoever computes some part of `reader`, be it any set of
/// cells, reads at least the same part of `src`.
struct EvenEdge {
  OpId src = 0;
  OpId reader = 0;
};

/// What any valid plan computes at least.
struct NeededCells {
  std::vector<double> share;    // [op]: part of its cells that the outputs depend on and that depend on the inputs
  std::vector<EvenEdge> edges;  // between operators of share 1, ascending by source
};

/// Rows made of padding, and what no output reads, are left out; where in doubt, so is more. Rests on what operators
/// read being a product of what they read along each axis, but for those that only move cells around.
[[nodiscard]] NeededCells needed_cells(const Graph& graph);

}  // namespace strake::partition

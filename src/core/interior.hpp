// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which part of a box a rank can compute before its halos arrive.

#include <vector>

#include "core/plan.hpp"

namespace strake {

/// A box cut along one axis: the interior reads only what the rank produced itself, the borders wait.
struct InteriorSplit {
  Box interior;     // empty if everything waits
  BoxList borders;  // at most two; none if nothing waits
};

/// Cuts `box`, which `rank` produces of operator `id`, along `axis`.
[[nodiscard]] InteriorSplit split_interior(const Graph& graph, const Plan& plan, OpId id, int rank, const Box& box,
                                           std::size_t axis);

/// An interior that is computed while messages travel comes in pieces, with a look at the messages between them: MPI
/// makes no progress while nobody calls it.
[[nodiscard]] std::vector<Interval> interior_pieces(Interval rows);

}  // namespace strake

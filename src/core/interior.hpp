// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which part of a box a rank can compute before its halos arrive.

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

}  // namespace strake

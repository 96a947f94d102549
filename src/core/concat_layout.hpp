// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Concatenations that copy nothing: their producers write where the result is to lie.

#include <vector>

#include "core/plan.hpp"

namespace strake {

/// That an operator's slab is a part of a concatenation's slab.
struct Inside {
  OpId container = -1;  // -1: it has memory of its own
  Index channel = 0;    // of the container, where the operator's channel 0 lies
};

/// For one rank, what can lie inside concatenations along channels: f32 maps whose every reader on this rank is as fast
/// on cells with gaps between them as on dense ones. A concatenation whose parts lie in a larger one in its own order
/// is itself a part of that (DenseNet's, of which each begins with the one before). Containers come after what they
/// contain, and may lie inside others.
/// @param boxes  what the rank keeps of each operator; empty where that is nothing
[[nodiscard]] std::vector<Inside> concatenate_in_place(const Graph& graph, const Plan& plan, int rank,
                                                       const std::vector<Box>& boxes);

/// `box` of an operator in the coordinates of the concatenation that it lies in.
[[nodiscard]] Box in_container(Box box, const Inside& inside);

}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A picture of a frame: input and result side by side, with the strips of the ranks drawn in.

#include <optional>

#include "core/plan.hpp"
#include "io/picture.hpp"

namespace strake::cli {

/// Lines run where ranks meet in operator `id`'s output; a bar at the edge has one colour per rank.
/// @param input   any size; scaled to the result's
/// @param result  the output of operator `id` as a picture
[[nodiscard]] io::Picture draw_strips(const io::Picture& input, const io::Picture& result, const Graph& graph,
                                      const Plan& plan, OpId id);

}  // namespace strake::cli

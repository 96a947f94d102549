// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Kernels that are a list of copies.

#include <vector>

#include "kernels/makers.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

/// One copy from a place in a source to a place in the destination.
struct Move {
  ElementType type;
  const std::byte* src;
  std::byte* dst;
  Walk walk;
};

/// The element `offset` elements behind the first.
[[nodiscard]] const std::byte* cell_at(const View& view, Index offset);

/// A move to the cells `box` of `dst`; the source moves by `src_strides` along their axes.
[[nodiscard]] Move move_of(const std::byte* src, const std::vector<Index>& src_strides, const View& dst,
                           const Box& box);

[[nodiscard]] KernelPtr make_moves(std::vector<Move> moves);

}  // namespace strake::kernels

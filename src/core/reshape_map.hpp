// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which cells a reshape reads: axes of both shapes in groups that hold the same cells.

#include <vector>

#include "core/box.hpp"

namespace strake {

/// Neighbouring axes of a shape and neighbouring axes of another whose cells are the same, in row-major order. Axes of
/// size 1 belong to no group: (1, 12, 5, 7) to (1, 3, 4, 35) has the groups {1} and {1, 2}, {2, 3} and {3}.
struct ReshapeGroup {
  std::vector<std::size_t> src;
  std::vector<std::size_t> dst;
};

/// The smallest groups, in order. Both shapes have the same volume.
[[nodiscard]] std::vector<ReshapeGroup> reshape_groups(const Shape& src, const Shape& dst);

/// The cells of `axes` that `box` spans in row-major order, from the first to the last.
[[nodiscard]] Interval flat_range(const Shape& shape, const std::vector<std::size_t>& axes, const Box& box);

/// The box of `src` that holds all cells of the box `dst_box` of `dst`.
///
/// In each group it is one run of cells in row-major order; it has more cells than `dst_box` where those do not follow
/// each other without gaps, or begin or end inside a row of `src`.
[[nodiscard]] Box reshaped_box(const Shape& src, const Shape& dst, const Box& dst_box);

/// The axis of `dst` along which strips run when they run along `axis` of `src`: both lead their group. Else -1.
[[nodiscard]] int reshaped_axis(const Shape& src, const Shape& dst, int axis);

/// True when a part of `dst` along `axis` needs less than the whole of `src`: the axis leads its group.
[[nodiscard]] bool reshape_cuts_along(const Shape& src, const Shape& dst, std::size_t axis);

}  // namespace strake

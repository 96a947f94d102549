// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Copies and loops over views of equal sizes, whatever their strides.

#include <functional>
#include <vector>

#include "core/view.hpp"

namespace strake::kernels {

/// A walk over the cells of one box in several views at once, in canonical order: `n_runs` runs of `length` cells, in
/// which view v moves by `inner[v]` elements per cell. Axes that are gapless in all views are merged into the run.
struct Walk {
  std::vector<Index> sizes;                 // of the outer axes, slowest first
  std::vector<std::vector<Index>> strides;  // [view][outer axis], in elements
  std::vector<Index> inner;                 // [view]
  Index length = 1;
  Index n_runs = 1;

  /// Offset in elements of run `run` in view `view`.
  [[nodiscard]] Index offset(Index run, std::size_t view) const;
};

/// @param sizes    of all axes, slowest first
/// @param strides  [view][axis], in elements; 0 repeats a cell
[[nodiscard]] Walk make_walk(std::vector<Index> sizes, std::vector<std::vector<Index>> strides);

/// A walk over views of one shape (their boxes may lie elsewhere), axes in canonical order.
[[nodiscard]] Walk walk_over(const std::vector<View>& views);

/// A walk over `dst` (view 0) and what numpy broadcasting puts there of each of `operands` (views 1, 2, ...).
[[nodiscard]] Walk broadcast_walk(const View& dst, const std::vector<View>& operands);

/// Copies elements along a walk of two views; threads share the runs when there are many.
void copy(const Walk& walk, const float* src, float* dst);
/// The same for elements of any type.
void copy(const Walk& walk, ElementType type, const std::byte* src, std::byte* dst);

/// Copies the cells of a view into another of the same shape.
void copy_view(const View& src, const View& dst);

/// How much memory a loop should touch before threads are worth waking.
inline constexpr Index parallel_floats = 32 * 1024;

}  // namespace strake::kernels

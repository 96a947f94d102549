// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where the cells of a box lie in memory: the only word for layout.

#include <cstddef>
#include <string>
#include <vector>

#include "core/box.hpp"
#include "core/element_type.hpp"

namespace strake {

/// A box of a tensor and the memory that holds it. Does not own the memory.
///
/// The cell at index `i` (whole-tensor coordinates) lies at element
/// `sum over axes a of strides[a] * (i[a] - box[a].begin)` from `data`.
/// With `channel_block` b > 1 (blocked layouts such as nChw16c) axis 1 is split: `strides[1]` is the step between
/// blocks of b channels, channels within a block are neighbours, and box[1].begin is a multiple of b.
struct View {
  Box box;
  std::vector<Index> strides;  // in elements, one per axis
  Index channel_block = 1;
  ElementType type = ElementType::f32;
  std::byte* data = nullptr;

  [[nodiscard]] float* floats() const { return reinterpret_cast<float*>(data); }

  /// The part of this view that holds `inner`; shares the memory.
  /// @throws Bug if `inner` leaves the box, or begins inside a channel block
  [[nodiscard]] View window(const Box& inner) const;

  /// True when the cells fill one gapless run of memory in this order of axes.
  [[nodiscard]] bool dense() const;
};

/// Axes from the slowest to the fastest in memory and on the wire: row, column, channel for a feature map
/// (n, h, w, c: axes 0, 2, 3, 1), plain row-major order for every other number of axes.
[[nodiscard]] std::vector<std::size_t> canonical_order(std::size_t n_axes);

/// Bytes of a dense tensor of this box.
[[nodiscard]] std::size_t dense_bytes(const Box& box, ElementType type);

/// A dense view in canonical order: NHWC for feature maps, row-major for every other number of axes.
[[nodiscard]] View dense_view(const Box& box, ElementType type, std::byte* data);

/// A dense view in logical (row-major, NCHW) order, as tensors look in files and in the hands of users.
[[nodiscard]] View row_major_view(const Box& box, ElementType type, std::byte* data);

/// Copies the cells of `box`, which both views must hold, from `src` to `dst`; both have one element type.
/// A plain loop for set-up and for the edges of a frame; kernels have faster ones.
/// @throws Bug if a view does not hold the box or the types differ
void copy_box(const View& src, const View& dst, const Box& box);

}  // namespace strake

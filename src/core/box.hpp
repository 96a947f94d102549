// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Shapes of whole tensors, and boxes: an interval per axis of a whole tensor.

#include <span>
#include <string>
#include <vector>

#include "core/interval.hpp"

namespace strake {

/// Sizes of a tensor's axes in ONNX's logical order: (n, c, h, w) for a feature map.
using Shape = std::vector<Index>;

/// Number of elements; 1 for a scalar.
[[nodiscard]] Index volume(const Shape& shape);

/// "1x3x224x224"; "scalar" without axes.
[[nodiscard]] std::string to_string(const Shape& shape);

/// An interval per axis of a whole tensor, in the coordinates of that tensor.
///
/// A box is empty when any of its intervals is. A box without axes is the one cell of a scalar.
struct Box {
  std::vector<Interval> axes;

  [[nodiscard]] bool empty() const;
  [[nodiscard]] Index volume() const;
  [[nodiscard]] Shape shape() const;
  [[nodiscard]] bool contains(const Box& inner) const;
  [[nodiscard]] Interval& operator[](std::size_t axis) { return axes[axis]; }
  [[nodiscard]] const Interval& operator[](std::size_t axis) const { return axes[axis]; }
  [[nodiscard]] std::size_t rank() const { return axes.size(); }
  friend bool operator==(const Box&, const Box&) = default;
};

/// Boxes of one tensor; what a rank produces, has or needs. May overlap unless a function says otherwise.
using BoxList = std::vector<Box>;

/// The box of the whole tensor.
[[nodiscard]] Box whole(const Shape& shape);

/// A box of the same number of axes that contains nothing.
[[nodiscard]] Box nothing(std::size_t n_axes);

/// `box` with its interval on `axis` replaced.
[[nodiscard]] Box with_axis(Box box, std::size_t axis, Interval interval);

[[nodiscard]] Box intersect(const Box& a, const Box& b);

/// The smallest box that covers both; an empty one counts for nothing.
[[nodiscard]] Box hull(const Box& a, const Box& b);

/// The smallest box that covers all of `boxes`; empty with `n_axes` axes when they are.
[[nodiscard]] Box hull(std::span<const Box> boxes, std::size_t n_axes);

/// The part of a tensor of shape `src` that broadcasting (numpy) repeats over the box `dst`: axes count from the last,
/// and size 1 means index 0 for everyone. `dst` has as many axes or more.
[[nodiscard]] Box broadcast_box(const Shape& src, const Box& dst);

/// Disjoint boxes that cover exactly the cells of `box` that are in none of `holes`.
[[nodiscard]] BoxList subtract(const Box& box, std::span<const Box> holes);

/// Number of different cells in `boxes`, which may overlap.
[[nodiscard]] Index covered_volume(std::span<const Box> boxes);

/// "[0, 1) x [0, 64) x [3, 7) x [0, 224)".
[[nodiscard]] std::string to_string(const Box& box);

}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#include "onnx/shape_rules.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "onnx/host_value.hpp"

namespace strake::onnx_import {

namespace {

constexpr Index largest = most_folded_elements * 16;

}  // namespace

Shape resolved_shape(const Node& node, const Shape& src, const std::vector<std::int64_t>& wanted) {
  Shape shape;
  Index known = 1;
  int open = -1;
  const bool zero_is_zero = node.integer("allowzero", 0) != 0;
  for (std::size_t axis = 0; axis < wanted.size(); ++axis) {
    Index size = wanted[axis];
    if (size == 0 && !zero_is_zero) {
      if (axis >= src.size()) throw node.error("copies axis " + std::to_string(axis) + " of " + to_string(src));
      size = src[axis];
    }
    if (size == -1 && open < 0) {
      open = static_cast<int>(axis);
    } else {
      if (size < 0 || size > largest) throw node.error("asks for size " + std::to_string(size));
      if (known > 0 && size > largest / known) throw node.error("asks for more elements than there are");
      known *= size;
    }
    shape.push_back(size);
  }
  if (open >= 0) shape[static_cast<std::size_t>(open)] = volume(src) / std::max<Index>(known, 1);
  if (volume(shape) != volume(src)) {
    std::string text;
    for (const std::int64_t size : wanted) text += (text.empty() ? "" : ", ") + std::to_string(size);
    throw node.error("cannot reshape " + to_string(src) + " to (" + text + ")");
  }
  return shape;
}

Shape flattened_shape(const Node& node, const Shape& src) {
  const std::int64_t given = node.integer("axis", 1);
  const auto n = static_cast<std::int64_t>(src.size());
  if (given < -n || given > n) throw node.error("axis " + std::to_string(given) + " of " + to_string(src));
  const std::int64_t axis = given < 0 ? given + n : given;
  Shape flat{1, 1};
  for (std::int64_t i = 0; i < n; ++i) flat[i < axis ? 0 : 1] *= src[static_cast<std::size_t>(i)];
  return flat;
}

Shape squeezed_shape(const Node& node, const Shape& src, const std::optional<std::vector<std::int64_t>>& axes) {
  std::vector<bool> dropped(src.size(), false);
  if (axes) {
    for (const std::int64_t axis : *axes) dropped[static_cast<std::size_t>(axis_of(node, axis, src.size()))] = true;
  } else {
    for (std::size_t axis = 0; axis < src.size(); ++axis) dropped[axis] = src[axis] == 1;
  }
  Shape kept;
  for (std::size_t axis = 0; axis < src.size(); ++axis) {
    if (dropped[axis] && src[axis] != 1) throw node.error("drops an axis of size " + std::to_string(src[axis]));
    if (!dropped[axis]) kept.push_back(src[axis]);
  }
  return kept;
}

Shape unsqueezed_shape(const Node& node, const Shape& src, const std::vector<std::int64_t>& axes) {
  std::vector<bool> added(src.size() + axes.size(), false);
  for (const std::int64_t axis : axes) added[static_cast<std::size_t>(axis_of(node, axis, added.size()))] = true;
  if (static_cast<std::size_t>(std::count(added.begin(), added.end(), true)) != axes.size())
    throw node.error("an axis stands twice");
  Shape shape;
  auto next = src.begin();
  for (const bool fresh : added) shape.push_back(fresh ? 1 : *next++);
  return shape;
}

std::vector<std::size_t> permutation(const Node& node, std::size_t rank) {
  std::vector<std::size_t> axes;
  const auto given = node.integers("perm");
  if (!given) {
    for (std::size_t axis = rank; axis-- > 0;) axes.push_back(axis);
    return axes;
  }
  std::vector<bool> seen(rank, false);
  for (const std::int64_t axis : *given) {
    axes.push_back(static_cast<std::size_t>(axis_of(node, axis, rank)));
    if (seen[axes.back()]) throw node.error("perm has axis " + std::to_string(axis) + " twice");
    seen[axes.back()] = true;
  }
  if (axes.size() != rank) throw node.error("perm has " + std::to_string(axes.size()) + " numbers");
  return axes;
}

std::vector<std::int64_t> split_sizes(const Node& node, Index size,
                                      const std::optional<std::vector<std::int64_t>>& given) {
  const auto n_outputs = static_cast<std::int64_t>(node.proto().output_size());
  std::vector<std::int64_t> sizes;
  if (given) {
    sizes = *given;
  } else {
    const std::int64_t n = node.integer("num_outputs", n_outputs);
    if (n != n_outputs || n < 1)
      throw node.error("cannot split " + std::to_string(size) + " into " + std::to_string(n));
    const Index each = (size + n - 1) / n;
    for (std::int64_t i = 0; i < n; ++i) sizes.push_back(std::clamp<Index>(size - i * each, 0, each));
  }
  Index sum = 0;
  for (const std::int64_t one : sizes) {
    if (one < 0 || one > size) throw node.error("a part has size " + std::to_string(one));
    sum += one;
  }
  if (static_cast<std::int64_t>(sizes.size()) != n_outputs || sum != size)
    throw node.error("the sizes of its parts do not add up to " + std::to_string(size));
  return sizes;
}

SliceRange slice_range(const Node& node, const Shape& src,
                       const std::function<std::vector<std::int64_t>(int)>& integers) {
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> ends;
  std::optional<std::vector<std::int64_t>> axes;
  std::optional<std::vector<std::int64_t>> steps;
  if (node.opset() < 10) {
    starts = node.integers("starts").value_or(std::vector<std::int64_t>{});
    ends = node.integers("ends").value_or(std::vector<std::int64_t>{});
    axes = node.integers("axes");
  } else {
    starts = integers(1);
    ends = integers(2);
    if (node.has_input(3)) axes = integers(3);
    if (node.has_input(4)) steps = integers(4);
  }
  SliceRange range{.begin = std::vector<Index>(src.size(), 0), .step = std::vector<Index>(src.size(), 1), .shape = src};
  if (ends.size() != starts.size() || (axes && axes->size() != starts.size()) ||
      (steps && steps->size() != starts.size()))
    throw node.error("starts, ends, axes and steps have different lengths");
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto axis =
        static_cast<std::size_t>(axis_of(node, axes ? (*axes)[i] : static_cast<std::int64_t>(i), src.size()));
    const Index size = src[axis];
    // A step beyond every axis takes one cell, as a huge one does.
    const Index step = std::clamp(steps ? (*steps)[i] : 1, -largest, largest);
    if (step == 0) throw node.error("a step is 0");
    // As ONNX says: counted from the back where negative, then clamped.
    const auto place = [&](Index at, Index low, Index high) {
      return std::clamp(at < 0 ? std::max(at, -largest) + size : at, low, std::max(low, high));
    };
    const Index begin = step > 0 ? place(starts[i], 0, size) : place(starts[i], 0, size - 1);
    const Index end = step > 0 ? place(ends[i], 0, size) : place(ends[i], -1, size - 1);
    const Index count = step > 0 ? (end - begin + step - 1) / step : (begin - end - step - 1) / -step;
    range.begin[axis] = begin;
    range.step[axis] = step;
    range.shape[axis] = size == 0 ? 0 : std::max<Index>(count, 0);
  }
  return range;
}

}  // namespace strake::onnx_import

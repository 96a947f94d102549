// SPDX-License-Identifier: Apache-2.0
#include "core/box.hpp"

#include <functional>
#include <numeric>

namespace strake {

Index volume(const Shape& shape) { return std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies<>()); }

std::string to_string(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const Index size : shape) text.append(text.empty() ? "" : "x").append(std::to_string(size));
  return text;
}

bool Box::empty() const {
  return std::any_of(axes.begin(), axes.end(), [](Interval axis) { return axis.empty(); });
}

Index Box::volume() const {
  Index cells = 1;
  for (const Interval axis : axes) cells *= axis.size();
  return cells;
}

Shape Box::shape() const {
  Shape sizes;
  sizes.reserve(axes.size());
  for (const Interval axis : axes) sizes.push_back(axis.size());
  return sizes;
}

bool Box::contains(const Box& inner) const {
  if (inner.empty()) return true;
  for (std::size_t axis = 0; axis < axes.size(); ++axis)
    if (!axes[axis].contains(inner[axis])) return false;
  return true;
}

Box whole(const Shape& shape) {
  Box box;
  box.axes.reserve(shape.size());
  for (const Index size : shape) box.axes.push_back({0, size});
  return box;
}

Box nothing(std::size_t n_axes) {
  // A scalar has one cell whatever its axes say, so "nothing" of a scalar needs an axis to be empty on.
  return Box{std::vector<Interval>(std::max<std::size_t>(n_axes, 1))};
}

Box with_axis(Box box, std::size_t axis, Interval interval) {
  box[axis] = interval;
  return box;
}

Box intersect(const Box& a, const Box& b) {
  if (a.empty() || b.empty()) return nothing(a.rank());
  Box both = a;
  for (std::size_t axis = 0; axis < a.rank(); ++axis) both[axis] = intersect(a[axis], b[axis]);
  return both.empty() ? nothing(a.rank()) : both;
}

Box hull(const Box& a, const Box& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  Box both = a;
  for (std::size_t axis = 0; axis < a.rank(); ++axis) both[axis] = hull(a[axis], b[axis]);
  return both;
}

Box hull(std::span<const Box> boxes, std::size_t n_axes) {
  Box all = nothing(n_axes);
  for (const Box& box : boxes) all = hull(all, box);
  return all;
}

namespace {

// Cuts one hole out of `box`: at most two slices per axis, from the first axis inwards.
void subtract_one(const Box& box, const Box& hole, BoxList& rest) {
  const Box common = intersect(box, hole);
  if (common.empty()) {
    rest.push_back(box);
    return;
  }
  Box core = box;
  for (std::size_t axis = 0; axis < box.rank(); ++axis) {
    const Interval below{core[axis].begin, common[axis].begin};
    const Interval above{common[axis].end, core[axis].end};
    if (!below.empty()) rest.push_back(with_axis(core, axis, below));
    if (!above.empty()) rest.push_back(with_axis(core, axis, above));
    core[axis] = common[axis];
  }
}

}  // namespace

Box broadcast_box(const Shape& src, const Box& dst) {
  Box box = whole(src);
  const std::size_t shift = dst.rank() - src.size();
  for (std::size_t axis = 0; axis < src.size(); ++axis)
    if (src[axis] != 1) box[axis] = dst[axis + shift];
  return box;
}

BoxList subtract(const Box& box, std::span<const Box> holes) {
  BoxList rest;
  if (box.empty()) return rest;
  rest.push_back(box);
  for (const Box& hole : holes) {
    BoxList next;
    for (const Box& piece : rest) subtract_one(piece, hole, next);
    rest = std::move(next);
  }
  return rest;
}

Index covered_volume(std::span<const Box> boxes) {
  Index cells = 0;
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for (const Box& fresh : subtract(boxes[i], boxes.first(i))) cells += fresh.volume();
  return cells;
}

std::string to_string(const Box& box) {
  if (box.axes.empty()) return "scalar";
  std::string text;
  for (const Interval axis : box.axes) text.append(text.empty() ? "" : " x ").append(to_string(axis));
  return text;
}

}  // namespace strake

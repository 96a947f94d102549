// SPDX-License-Identifier: Apache-2.0
#include "core/reshape_map.hpp"

namespace strake {

namespace {

// The next axis that is not of size 1, from `axis` on.
std::size_t next_axis(const Shape& shape, std::size_t axis) {
  while (axis < shape.size() && shape[axis] == 1) ++axis;
  return axis;
}

// The smallest box along `axes` that holds the cells `range`, as one run of them: leading axes at one index, then one
// stretch, then all.
void set_range(const Shape& shape, const std::vector<std::size_t>& axes, Interval range, Box& box) {
  Index step = 1;
  for (const std::size_t axis : axes) step *= shape[axis];
  Index first = range.begin;
  Index last = range.end - 1;
  bool at_one_index = true;
  for (const std::size_t axis : axes) {
    step /= shape[axis];
    if (!at_one_index) {
      box[axis] = {0, shape[axis]};
      continue;
    }
    box[axis] = {first / step, last / step + 1};
    at_one_index = first / step == last / step;
    first %= step;
    last %= step;
  }
}

}  // namespace

std::vector<ReshapeGroup> reshape_groups(const Shape& src, const Shape& dst) {
  std::vector<ReshapeGroup> groups;
  std::size_t i = next_axis(src, 0);
  std::size_t j = next_axis(dst, 0);
  while (i < src.size() && j < dst.size()) {
    ReshapeGroup group{.src = {i}, .dst = {j}};
    Index src_cells = src[i];
    Index dst_cells = dst[j];
    while (src_cells != dst_cells) {
      if (src_cells < dst_cells) {
        i = next_axis(src, i + 1);
        group.src.push_back(i);
        src_cells *= src[i];
      } else {
        j = next_axis(dst, j + 1);
        group.dst.push_back(j);
        dst_cells *= dst[j];
      }
    }
    groups.push_back(std::move(group));
    i = next_axis(src, i + 1);
    j = next_axis(dst, j + 1);
  }
  return groups;
}

Interval flat_range(const Shape& shape, const std::vector<std::size_t>& axes, const Box& box) {
  Index first = 0;
  Index last = 0;
  for (const std::size_t axis : axes) {
    first = first * shape[axis] + box[axis].begin;
    last = last * shape[axis] + box[axis].end - 1;
  }
  return {first, last + 1};
}

Box reshaped_box(const Shape& src, const Shape& dst, const Box& dst_box) {
  Box box = whole(src);
  for (const ReshapeGroup& group : reshape_groups(src, dst))
    set_range(src, group.src, flat_range(dst, group.dst, dst_box), box);
  return box;
}

int reshaped_axis(const Shape& src, const Shape& dst, int axis) {
  for (const ReshapeGroup& group : reshape_groups(src, dst))
    if (static_cast<int>(group.src.front()) == axis) return static_cast<int>(group.dst.front());
  return -1;
}

bool reshape_cuts_along(const Shape& src, const Shape& dst, std::size_t axis) {
  for (const ReshapeGroup& group : reshape_groups(src, dst))
    if (group.dst.front() == axis) return true;
  return false;
}

}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#include "core/view.hpp"

#include <cstring>
#include <numeric>

namespace strake {

View View::window(const Box& inner) const {
  ensure(box.contains(inner), "a window lies inside the view that it is cut from");
  View part = *this;
  part.box = inner;
  if (inner.empty()) return part;
  Index offset = 0;
  for (std::size_t axis = 0; axis < box.rank(); ++axis) {
    const Index shift = inner[axis].begin - box[axis].begin;
    if (axis == 1 && channel_block > 1) {
      ensure(shift % channel_block == 0, "a window of a blocked view begins at a channel block");
      offset += shift / channel_block * strides[axis];
    } else {
      offset += shift * strides[axis];
    }
  }
  part.data = data == nullptr ? nullptr : data + offset * static_cast<Index>(size_of(type));
  return part;
}

bool View::dense() const {
  if (channel_block > 1) {
    Index run = channel_block;
    const std::size_t order[] = {3, 2, 1, 0};
    for (const std::size_t axis : order) {
      const Index size = axis == 1 ? (box[1].size() + channel_block - 1) / channel_block : box[axis].size();
      if (size > 1 && strides[axis] != run) return false;
      run *= size;
    }
    return true;
  }
  const std::vector<std::size_t> order = canonical_order(box.rank());
  Index run = 1;
  for (auto axis = order.rbegin(); axis != order.rend(); ++axis) {
    if (box[*axis].size() > 1 && strides[*axis] != run) return false;
    run *= box[*axis].size();
  }
  return true;
}

std::vector<std::size_t> canonical_order(std::size_t n_axes) {
  if (n_axes == 4) return {0, 2, 3, 1};
  std::vector<std::size_t> order(n_axes);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

std::size_t dense_bytes(const Box& box, ElementType type) {
  return box.empty() ? 0 : static_cast<std::size_t>(box.volume()) * size_of(type);
}

namespace {

View view_in_order(const Box& box, ElementType type, std::byte* data, const std::vector<std::size_t>& order) {
  View view{.box = box, .strides = std::vector<Index>(box.rank(), 1), .type = type, .data = data};
  Index run = 1;
  for (auto axis = order.rbegin(); axis != order.rend(); ++axis) {
    view.strides[*axis] = run;
    run *= box[*axis].size();
  }
  return view;
}

Index offset_in_block(const View& view, Index channel) {
  const Index shift = channel - view.box[1].begin;
  return shift / view.channel_block * view.strides[1] + shift % view.channel_block;
}

// The offset, in elements, of index `at` along `axis`.
Index axis_offset(const View& view, std::size_t axis, Index at) {
  if (axis == 1 && view.channel_block > 1) return offset_in_block(view, at);
  return (at - view.box[axis].begin) * view.strides[axis];
}

}  // namespace

View dense_view(const Box& box, ElementType type, std::byte* data) {
  return view_in_order(box, type, data, canonical_order(box.rank()));
}

View row_major_view(const Box& box, ElementType type, std::byte* data) {
  std::vector<std::size_t> order(box.rank());
  std::iota(order.begin(), order.end(), std::size_t{0});
  return view_in_order(box, type, data, order);
}

void copy_box(const View& src, const View& dst, const Box& box) {
  ensure(src.type == dst.type, "copy_box copies between views of one element type");
  ensure(src.box.contains(box) && dst.box.contains(box), "copy_box copies cells that both views hold");
  if (box.empty()) return;
  const std::size_t n_bytes = size_of(src.type);
  if (box.rank() == 0) {
    std::memcpy(dst.data, src.data, n_bytes);
    return;
  }
  const std::vector<std::size_t> order = canonical_order(box.rank());
  const std::size_t inner = order.back();
  const bool unit_runs =
      src.channel_block == 1 && dst.channel_block == 1 && src.strides[inner] == 1 && dst.strides[inner] == 1;
  const auto step = static_cast<Index>(n_bytes);

  std::vector<Index> at(box.rank());
  for (std::size_t axis = 0; axis < box.rank(); ++axis) at[axis] = box[axis].begin;
  while (true) {
    Index src_offset = 0;
    Index dst_offset = 0;
    for (std::size_t axis = 0; axis < box.rank(); ++axis) {
      if (axis == inner) continue;
      src_offset += axis_offset(src, axis, at[axis]);
      dst_offset += axis_offset(dst, axis, at[axis]);
    }
    if (unit_runs) {
      std::memcpy(dst.data + (dst_offset + axis_offset(dst, inner, box[inner].begin)) * step,
                  src.data + (src_offset + axis_offset(src, inner, box[inner].begin)) * step,
                  n_bytes * static_cast<std::size_t>(box[inner].size()));
    } else {
      for (Index i = box[inner].begin; i < box[inner].end; ++i)
        std::memcpy(dst.data + (dst_offset + axis_offset(dst, inner, i)) * step,
                    src.data + (src_offset + axis_offset(src, inner, i)) * step, n_bytes);
    }
    // Step to the next run: an odometer over all axes but the innermost.
    std::size_t wheel = order.size() - 1;
    while (wheel > 0) {
      const std::size_t axis = order[--wheel];
      if (++at[axis] < box[axis].end) break;
      at[axis] = box[axis].begin;
      if (wheel == 0) return;
    }
    if (order.size() == 1) return;
  }
}

}  // namespace strake

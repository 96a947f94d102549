// SPDX-License-Identifier: Apache-2.0
// Reshapes of parts of tensors. Where the axes that a group merges or splits follow each other evenly in memory, it is
// one strided copy; else the input is put in row-major order first.

#include <optional>

#include "core/errors.hpp"
#include "core/reshape_map.hpp"
#include "kernels/moves.hpp"

namespace strake::kernels {

namespace {

// How far the next cell of a group lies, in row-major order, or nothing where cells do not lie evenly.
// `reshaped_box` leaves in each group one run of cells: axes in front of it have size 1, those behind are whole.
std::optional<Index> even_step(const View& view, const std::vector<std::size_t>& axes) {
  std::optional<Index> step;
  Index cells = 1;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    const Index size = view.box[*axis].size();
    if (size == 1) continue;
    if (!step) step = view.strides[*axis];
    if (view.strides[*axis] != *step * cells) return std::nullopt;
    cells *= size;
  }
  return step.value_or(0);
}

/// Where the cells of the box to produce lie in an input.
struct Reshaping {
  Index first = 0;             // element of the first one
  std::vector<Index> strides;  // along the axes of the output, in elements
};

// Nothing where the cells of a group do not lie evenly in `src`.
std::optional<Reshaping> reshaping_of(const MakeContext& context, const View& src) {
  const Shape& src_shape = context.src_shape(0);
  const Shape& dst_shape = context.op().shape;
  const Box& box = context.request.dst.box;
  Reshaping result{.first = 0, .strides = std::vector<Index>(dst_shape.size(), 0)};
  for (const ReshapeGroup& group : reshape_groups(src_shape, dst_shape)) {
    const std::optional<Index> even = even_step(src, group.src);
    if (!even) return std::nullopt;
    const Index first = flat_range(dst_shape, group.dst, box).begin;
    result.first += (first - flat_range(src_shape, group.src, src.box).begin) * *even;
    Index step = *even;
    for (auto axis = group.dst.rbegin(); axis != group.dst.rend(); ++axis) {
      result.strides[*axis] = step;
      step *= dst_shape[*axis];
    }
  }
  return result;
}

}  // namespace

KernelPtr make_reshape(const MakeContext& context) {
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  if (const std::optional<Reshaping> straight = reshaping_of(context, src))
    return make_moves({move_of(cell_at(src, straight->first), straight->strides, dst, dst.box)});
  const View rows = row_major_view(src.box, src.type, nullptr);
  const std::optional<Reshaping> from_rows = reshaping_of(context, rows);
  ensure(from_rows.has_value(), "cells in row-major order lie evenly");
  const Move move = move_of(nullptr, from_rows->strides, dst, dst.box);
  const Index first_byte = from_rows->first * static_cast<Index>(size_of(src.type));
  Workspace* workspace = &context.workspace;
  workspace->reserve(dense_bytes(src.box, src.type));
  return make_own(
      [src, gather = walk_over({src, rows}), move, first_byte, workspace] {
        copy(gather, src.type, src.data, workspace->data());
        copy(move.walk, move.type, workspace->data() + first_byte, move.dst);
      },
      "copy+copy");
}

}  // namespace strake::kernels

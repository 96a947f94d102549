// SPDX-License-Identifier: Apache-2.0
// Operators that repeat or blank cells.

#include <algorithm>

#include "core/errors.hpp"
#include "kernels/moves.hpp"

namespace strake::kernels {

namespace {

KernelPtr make_expand(const MakeContext& context) {
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  const Walk walk = broadcast_walk(dst, {src});
  // Copies have the source first.
  Walk turned = walk;
  std::swap(turned.strides[0], turned.strides[1]);
  std::swap(turned.inner[0], turned.inner[1]);
  return make_moves({{dst.type, src.data, dst.data, std::move(turned)}});
}

// ---- Tile ---------------------------------------------------------------------------------------------------------

/// A stretch of one axis: `copies` times `size` cells that begin at `src` of the input and at `dst` of the output.
struct Stretch {
  Index src = 0;
  Index dst = 0;
  Index size = 0;
  Index copies = 1;
};

// The rest of a copy, whole copies and the beginning of one more.
std::vector<Stretch> stretches_of(Interval dst, Index size) {
  std::vector<Stretch> list;
  Index at = dst.begin;
  while (at < dst.end) {
    const Index src = at % size;
    const Index whole_copies = src == 0 ? (dst.end - at) / size : 0;
    const Index n = whole_copies > 0 ? size : std::min(size - src, dst.end - at);
    list.push_back({.src = src, .dst = at, .size = n, .copies = std::max<Index>(whole_copies, 1)});
    at += n * std::max<Index>(whole_copies, 1);
  }
  return list;
}

// The move of one stretch per axis. Each axis counts as two: copies and cells.
Move tiled_move(const View& src, const View& dst, const std::vector<Stretch>& stretches) {
  Index from = 0;
  Index to = 0;
  std::vector<Index> sizes;
  std::vector<std::vector<Index>> strides(2);
  for (const std::size_t axis : canonical_order(stretches.size())) {
    const Stretch& one = stretches[axis];
    from += (one.src - src.box[axis].begin) * src.strides[axis];
    to += (one.dst - dst.box[axis].begin) * dst.strides[axis];
    sizes.insert(sizes.end(), {one.copies, one.size});
    strides[0].insert(strides[0].end(), {0, src.strides[axis]});
    strides[1].insert(strides[1].end(), {one.size * dst.strides[axis], dst.strides[axis]});
  }
  return {dst.type, cell_at(src, from), dst.data + to * static_cast<Index>(size_of(dst.type)),
          make_walk(std::move(sizes), std::move(strides))};
}

KernelPtr make_tile(const MakeContext& context) {
  const View& src = context.request.src.front();
  const View& dst = context.request.dst;
  const std::size_t n_axes = dst.box.rank();
  std::vector<std::vector<Stretch>> of_axis;
  for (std::size_t axis = 0; axis < n_axes; ++axis)
    of_axis.push_back(stretches_of(dst.box[axis], context.src_shape(0)[axis]));
  std::vector<Move> moves;
  std::vector<std::size_t> choice(n_axes, 0);
  for (bool more = true; more;) {
    std::vector<Stretch> stretches;
    for (std::size_t axis = 0; axis < n_axes; ++axis) stretches.push_back(of_axis[axis][choice[axis]]);
    moves.push_back(tiled_move(src, dst, stretches));
    more = false;
    for (std::size_t axis = 0; axis < n_axes && !more; ++axis) {
      more = ++choice[axis] < of_axis[axis].size();
      if (!more) choice[axis] = 0;
    }
  }
  return make_moves(std::move(moves));
}

// ---- Trilu --------------------------------------------------------------------------------------------------------

constexpr std::uint64_t zero = 0;  // of every type

KernelPtr make_trilu(const MakeContext& context, const Trilu& op) {
  const View& src = context.request.src.front();
  const View& dst = context.request.dst;
  const std::size_t row_axis = dst.box.rank() - 2;
  const Interval columns = dst.box[row_axis + 1];
  const std::vector<Index> same_cell(dst.box.rank(), 0);
  const auto* blank = reinterpret_cast<const std::byte*>(&zero);
  std::vector<Move> moves;
  const auto add = [&](Index row, Interval part, bool keep) {
    if (part.empty()) return;
    const Box box = with_axis(with_axis(dst.box, row_axis, {row, row + 1}), row_axis + 1, part);
    const View from = src.window(keep ? box : src.box);
    moves.push_back(keep ? move_of(from.data, src.strides, dst, box) : move_of(blank, same_cell, dst, box));
  };
  for (Index row = dst.box[row_axis].begin; row < dst.box[row_axis].end; ++row) {
    // The diagonal may be any 64-bit number: clamped so that no sum overflows.
    const Index reach = std::clamp(op.diagonal, -row - 1, columns.end - row);
    const Index edge = std::clamp(row + reach + (op.part == Triangle::upper ? 0 : 1), columns.begin, columns.end);
    add(row, {columns.begin, edge}, op.part == Triangle::lower);
    add(row, {edge, columns.end}, op.part == Triangle::upper);
  }
  return make_moves(std::move(moves));
}

}  // namespace

KernelPtr make_repeat(const MakeContext& context) {
  const Op& op = context.op();
  if (as<Expand>(op) != nullptr) return make_expand(context);
  if (as<Tile>(op) != nullptr) return make_tile(context);
  return make_trilu(context, *as<Trilu>(op));
}

}  // namespace strake::kernels

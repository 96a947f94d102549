// SPDX-License-Identifier: Apache-2.0
// Operators that only move cells.

#include <algorithm>

#include "core/errors.hpp"
#include "kernels/makers.hpp"
#include "kernels/moves.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

KernelPtr make_concat(const MakeContext& context, const Concat& op) {
  const View& dst = context.request.dst;
  const auto axis = static_cast<std::size_t>(op.axis);
  std::vector<Move> moves;
  Index offset = 0;
  for (std::size_t i = 0; i < context.request.src.size(); ++i) {
    const View& src = context.request.src[i];
    if (!src.box.empty()) {
      Box box = src.box;
      box[axis] = {src.box[axis].begin + offset, src.box[axis].end + offset};
      // Producers may have written it where it belongs.
      if (dst.window(box).data != src.data) moves.push_back(move_of(src.data, src.strides, dst, box));
    }
    offset += context.src_shape(i)[axis];
  }
  return make_moves(std::move(moves));
}

KernelPtr make_transpose(const MakeContext& context, const Transpose& op) {
  const View& src = context.request.src.front();
  std::vector<Index> strides;
  for (const int axis : op.axes) strides.push_back(src.strides[static_cast<std::size_t>(axis)]);
  return make_moves({move_of(src.data, strides, context.request.dst, context.request.dst.box)});
}

KernelPtr make_slice(const MakeContext& context, const Slice& op) {
  const View& src = context.request.src.front();
  const Box& box = context.request.dst.box;
  Index first = 0;
  std::vector<Index> strides;
  for (std::size_t axis = 0; axis < box.rank(); ++axis) {
    first += (op.begin[axis] + box[axis].begin * op.step[axis] - src.box[axis].begin) * src.strides[axis];
    strides.push_back(src.strides[axis] * op.step[axis]);
  }
  return make_moves({move_of(cell_at(src, first), strides, context.request.dst, box)});
}

KernelPtr make_pad(const MakeContext& context, const Pad& op) {
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  Box inside = src.box;
  for (std::size_t axis = 0; axis < inside.rank(); ++axis)
    inside[axis] = {src.box[axis].begin + op.begin[axis], src.box[axis].end + op.begin[axis]};
  std::vector<Move> moves;
  if (!src.box.empty()) moves.push_back(move_of(src.data, src.strides, dst, intersect(inside, dst.box)));
  return make_own(
      [dst, value = op.value, all = walk_over({dst}), moves = std::move(moves)] {
        with_type(dst.type, [&]<class T>(std::type_identity<T>) {
          for (Index run = 0; run < all.n_runs; ++run) {
            T* out = reinterpret_cast<T*>(dst.data) + all.offset(run, 0);
            for (Index i = 0; i < all.length; ++i) out[i * all.inner[0]] = static_cast<T>(value);
          }
        });
        for (const Move& move : moves) copy(move.walk, move.type, move.src, move.dst);
      },
      "pad");
}

KernelPtr make_gather(const MakeContext& context, const Gather& op) {
  const View& src = context.request.src.front();
  const View& dst = context.request.dst;
  const auto axis = static_cast<std::size_t>(op.axis);
  std::vector<Move> moves;
  for (Index i = dst.box[axis].begin; i < dst.box[axis].end; ++i) {
    const Index from = op.indices[static_cast<std::size_t>(i)] - src.box[axis].begin;
    moves.push_back(
        move_of(cell_at(src, from * src.strides[axis]), src.strides, dst, with_axis(dst.box, axis, {i, i + 1})));
  }
  return make_moves(std::move(moves));
}

}  // namespace

KernelPtr make_shape_op(const MakeContext& context) {
  const Op& op = context.op();
  if (const auto* concat = as<Concat>(op)) return make_concat(context, *concat);
  if (const auto* transpose = as<Transpose>(op)) return make_transpose(context, *transpose);
  if (const auto* slice = as<Slice>(op)) return make_slice(context, *slice);
  if (const auto* pad = as<Pad>(op)) return make_pad(context, *pad);
  ensure(as<Gather>(op) != nullptr, "every operator has a kernel");
  return make_gather(context, *as<Gather>(op));
}

}  // namespace strake::kernels

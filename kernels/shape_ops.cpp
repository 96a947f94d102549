// SPDX-License-Identifier: Apache-2.0
// Operators that only move cells.

#include <algorithm>

#include "core/errors.hpp"
#include "kernels/makers.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

// One copy from a place in a source to a place in the destination.
struct Move {
  const float* src;
  float* dst;
  Walk walk;
};

KernelPtr make_moves(std::vector<Move> moves) {
  return make_own(
      [moves = std::move(moves)] {
        for (const Move& move : moves) copy(move.walk, move.src, move.dst);
      },
      "copy");
}

// A move of the cells `sizes` (slowest axis first in the destination's canonical order).
Move move_of(const float* src, const std::vector<Index>& src_strides, const View& dst, const Box& box) {
  const View window = dst.window(box);
  std::vector<Index> sizes;
  std::vector<std::vector<Index>> strides(2);
  for (const std::size_t axis : canonical_order(box.rank())) {
    sizes.push_back(box[axis].size());
    strides[0].push_back(src_strides[axis]);
    strides[1].push_back(window.strides[axis]);
  }
  return {src, window.floats(), make_walk(std::move(sizes), std::move(strides))};
}

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
      moves.push_back(move_of(src.floats(), src.strides, dst, box));
    }
    offset += context.src_shape(i)[axis];
  }
  return make_moves(std::move(moves));
}

KernelPtr make_transpose(const MakeContext& context, const Transpose& op) {
  const View& src = context.request.src.front();
  std::vector<Index> strides;
  for (const int axis : op.axes) strides.push_back(src.strides[static_cast<std::size_t>(axis)]);
  return make_moves({move_of(src.floats(), strides, context.request.dst, context.request.dst.box)});
}

KernelPtr make_slice(const MakeContext& context, const Slice& op) {
  const View& src = context.request.src.front();
  const Box& box = context.request.dst.box;
  const float* first = src.floats();
  std::vector<Index> strides;
  for (std::size_t axis = 0; axis < box.rank(); ++axis) {
    first += (op.begin[axis] + box[axis].begin * op.step[axis] - src.box[axis].begin) * src.strides[axis];
    strides.push_back(src.strides[axis] * op.step[axis]);
  }
  return make_moves({move_of(first, strides, context.request.dst, box)});
}

KernelPtr make_pad(const MakeContext& context, const Pad& op) {
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  Box inside = src.box;
  for (std::size_t axis = 0; axis < inside.rank(); ++axis)
    inside[axis] = {src.box[axis].begin + op.begin[axis], src.box[axis].end + op.begin[axis]};
  std::vector<Move> moves;
  if (!src.box.empty()) moves.push_back(move_of(src.floats(), src.strides, dst, intersect(inside, dst.box)));
  return make_own(
      [dst, value = op.value, all = walk_over({dst}), moves = std::move(moves)] {
        for (Index run = 0; run < all.n_runs; ++run) {
          float* out = dst.floats() + all.offset(run, 0);
          for (Index i = 0; i < all.length; ++i) out[i * all.inner[0]] = value;
        }
        for (const Move& move : moves) copy(move.walk, move.src, move.dst);
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
        move_of(src.floats() + from * src.strides[axis], src.strides, dst, with_axis(dst.box, axis, {i, i + 1})));
  }
  return make_moves(std::move(moves));
}

// Both whole tensors: through the row-major order in which reshapes are defined.
KernelPtr make_reshape(const MakeContext& context) {
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  const View src_rows = row_major_view(src.box, src.type, nullptr);
  const View dst_rows = row_major_view(dst.box, dst.type, nullptr);
  const bool src_is_rows = src.strides == src_rows.strides || (src.box.rank() != 4 && src.dense());
  const bool dst_is_rows = dst.strides == dst_rows.strides || (dst.box.rank() != 4 && dst.dense());
  const Walk gather = walk_over({src, src_rows});
  const Walk scatter = walk_over({dst_rows, dst});
  if (src_is_rows) return make_own([src, dst, scatter] { copy(scatter, src.floats(), dst.floats()); }, "copy");
  if (dst_is_rows) return make_own([src, dst, gather] { copy(gather, src.floats(), dst.floats()); }, "copy");
  Workspace* workspace = &context.workspace;
  workspace->reserve(dense_bytes(src.box, src.type));
  return make_own(
      [src, dst, gather, scatter, workspace] {
        auto* rows = reinterpret_cast<float*>(workspace->data());
        copy(gather, src.floats(), rows);
        copy(scatter, rows, dst.floats());
      },
      "copy+copy");
}

}  // namespace

KernelPtr make_shape_op(const MakeContext& context) {
  const Op& op = context.op();
  if (const auto* concat = as<Concat>(op)) return make_concat(context, *concat);
  if (const auto* transpose = as<Transpose>(op)) return make_transpose(context, *transpose);
  if (const auto* slice = as<Slice>(op)) return make_slice(context, *slice);
  if (const auto* pad = as<Pad>(op)) return make_pad(context, *pad);
  if (const auto* gather = as<Gather>(op)) return make_gather(context, *gather);
  ensure(as<Reshape>(op) != nullptr, "every operator has a kernel");
  return make_reshape(context);
}

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#include "kernels/pointwise.hpp"

#include "core/errors.hpp"
#include "kernels/makers.hpp"
#include "kernels/pieces.hpp"

namespace strake::kernels {

namespace {

PointwiseLoop loop_of(const MakeContext& context, const Pointwise& op) {
  const std::vector<View>& src = context.request.src;
  if (op.kind == PointwiseKind::cast) return cast_loop(src.front().type, op.to);
  if (op.kind == PointwiseKind::quantize || op.kind == PointwiseKind::dequantize)
    return quantize_loop(op.kind, src.back().type);
  // The condition of a choice is always boolean; what is chosen has the type.
  const ElementType type = op.kind == PointwiseKind::where ? src[1].type : src.front().type;
  const PointwiseLoop loop = logic_loop(op.kind, type);
  return loop != nullptr ? loop : arithmetic_loop(op.kind, type, src.back().type);
}

// Calls `body(piece)` for pieces of the box to produce.
template <std::size_t N, class Body>
KernelPtr make_pieces(const MakeContext& context, Body body) {
  const View dst = context.request.dst;
  const std::vector<View>& src = context.request.src;
  std::array<View, N> operands;
  std::copy_n(src.begin(), N, operands.begin());
  return make_own([dst, operands, walk = broadcast_walk(dst, src), body] {
    for_each_piece<N + 1>(walk, [&](const std::array<Index, N + 1>& at, Index n) {
      PointwisePiece piece{
          .dst = dst.data + at[0] * static_cast<Index>(size_of(dst.type)), .dst_step = walk.inner[0], .n = n};
      for (std::size_t i = 0; i < N; ++i) {
        piece.src[i] = operands[i].data + at[i + 1] * static_cast<Index>(size_of(operands[i].type));
        piece.src_step[i] = walk.inner[i + 1];
      }
      body(piece);
    });
  });
}

}  // namespace

KernelPtr make_pointwise(const MakeContext& context) {
  const PointwiseLoop loop = loop_of(context, *as<Pointwise>(context.op()));
  ensure(loop != nullptr, "shape inference lets only types with a loop pass");
  const std::size_t n_operands = context.request.src.size();
  if (n_operands == 1) return make_pieces<1>(context, loop);
  if (n_operands == 2) return make_pieces<2>(context, loop);
  return make_pieces<3>(context, loop);
}

KernelPtr make_typed_activation(const MakeContext& context, const Activation& function) {
  const ElementType type = context.request.dst.type;
  return make_pieces<1>(context, [function, type](const PointwisePiece& piece) { apply_typed(function, type, piece); });
}

}  // namespace strake::kernels

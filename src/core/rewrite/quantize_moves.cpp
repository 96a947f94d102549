// SPDX-License-Identifier: Apache-2.0
// What only moves or picks cells does so with bytes.

#include <algorithm>

#include "core/rewrite/edit.hpp"
#include "core/rewrite/quantized.hpp"
#include "core/rewrite/rewrite.hpp"

namespace strake::rewrite {

namespace {

// A window may hold nothing but padding, whose maximum is no dequantised byte.
bool is_plain_maximum(const Op& op) {
  const auto* pool = as<Pool>(op);
  if (pool == nullptr || pool->kind != PoolKind::max) return false;
  const auto fits = [](const WindowAxis& axis) {
    return axis.dilation == 1 && axis.pad_begin < axis.kernel && axis.pad_end < axis.kernel;
  };
  return fits(pool->window.h) && fits(pool->window.w);
}

bool moves_bytes(const Op& op) {
  return as<Reshape>(op) != nullptr || as<Transpose>(op) != nullptr || as<Slice>(op) != nullptr ||
         as<Gather>(op) != nullptr || as<DepthToSpace>(op) != nullptr || as<SpaceToDepth>(op) != nullptr ||
         is_plain_maximum(op);
}

// A move of dequantised bytes becomes the dequantisation of moved bytes.
bool move_before(Graph& graph, OpId id) {
  if (!moves_bytes(graph.op(id))) return false;
  const std::optional<Quantized> x = dequantized(graph, graph.op(id).inputs.front());
  if (!x) return false;
  Op moved = graph.op(id);
  moved.name = unique_name(graph, moved.name + "/bytes");
  moved.inputs = {x->x};
  moved.type = x->type;
  const OpId bytes = insert(graph, id, std::move(moved));
  graph.op(bytes + 1).inputs = {bytes, x->scale_op, x->zero_op};
  graph.op(bytes + 1).attributes = Pointwise{.kind = PointwiseKind::dequantize};
  return true;
}

// A Reshape between a convolution and a quantisation goes behind both.
bool quantise_before(Graph& graph, OpId id, const std::vector<int>& uses) {
  const std::optional<Quantized> dst = quantized(graph, id);
  if (!dst || as<Reshape>(graph.op(dst->x)) == nullptr || !read_once(uses, dst->x)) return false;
  const OpId src = graph.op(dst->x).inputs.front();
  if (as<Conv>(graph.op(src)) == nullptr && as<IntegerConv>(graph.op(src)) == nullptr) return false;
  const OpId bytes = insert(graph, id,
                            {.name = unique_name(graph, graph.op(id).name + "/bytes"),
                             .inputs = {src, dst->scale_op, dst->zero_op},
                             .shape = graph.shape(src),
                             .type = dst->type,
                             .attributes = Pointwise{.kind = PointwiseKind::quantize}});
  graph.op(bytes + 1).inputs = {bytes};
  graph.op(bytes + 1).attributes = Reshape{};
  return true;
}

// Bytes that are dequantised and quantised alike are what they were.
bool drop_pair(Graph& graph, OpId id) {
  const std::optional<Quantized> dst = quantized(graph, id);
  if (!dst) return false;
  const std::optional<Quantized> src = dequantized(graph, dst->x);
  if (!src || src->scale != dst->scale || src->zero != dst->zero || src->type != dst->type) return false;
  replace_uses(graph, id, src->x);
  return true;
}

}  // namespace

bool move_bytes(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>& uses) {
    return drop_pair(graph, id) || move_before(graph, id) || quantise_before(graph, id, uses);
  });
}

}  // namespace strake::rewrite

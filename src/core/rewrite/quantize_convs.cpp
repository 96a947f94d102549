// SPDX-License-Identifier: Apache-2.0
// Convolutions between a dequantisation and a quantisation become convolutions of integers.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/rewrite/edit.hpp"
#include "core/rewrite/quantized.hpp"
#include "core/rewrite/rewrite.hpp"

namespace strake::rewrite {

namespace {

/// What a list of post-ops does, where it is one that sums of integers can have.
struct Bounds {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

std::optional<Bounds> bounds_of(const std::vector<PostOp>& post_ops) {
  Bounds bounds;
  for (const PostOp& post_op : post_ops) {
    const auto* function = std::get_if<Activation>(&post_op);
    if (function == nullptr) continue;  // a residual, which comes first
    if (function->kind == ActivationKind::relu) {
      bounds = {.low = 0};
    } else if (function->kind == ActivationKind::clip && function->alpha <= function->beta) {
      bounds = {.low = function->alpha, .high = function->beta};
    } else {
      return std::nullopt;
    }
  }
  return bounds;
}

template <class T>
WeightId add_typed(Graph& graph, const std::string& name, Shape shape, const std::vector<T>& values, ElementType type) {
  Blob blob = Blob::allocate(values.size() * sizeof(T));
  std::memcpy(blob.data(), values.data(), blob.size_bytes());
  return graph.add_weight(name, std::move(shape), std::move(blob), type);
}

// The weights of an operator called `name`, to be multiplied with bytes in steps of `scale`.
void set_weights(Graph& graph, const std::string& name, Shape shape, const ByteWeights& bytes, float scale,
                 IntegerConv& conv) {
  const Index m = shape[0];
  conv.weights = add_typed(graph, name + ".weights", std::move(shape), bytes.values, bytes.type);
  if (!bytes.zeros.empty()) conv.weight_zeros = add_typed(graph, name + ".zeros", {m}, bytes.zeros, bytes.type);
  std::vector<float> scales = bytes.steps;
  for (float& one : scales) one *= scale;
  conv.scale = graph.add_weight(name + ".scale", {m}, Blob::copy_of(scales));
  conv.to = ElementType::f32;
}

// A convolution of dequantised bytes with weights that are bytes at heart.
bool make_integer_conv(Graph& graph, OpId id) {
  const auto* found = as<Conv>(graph.op(id));
  if (found == nullptr) return false;
  const Conv conv = *found;
  const std::optional<Quantized> x = dequantized(graph, graph.op(id).inputs[0]);
  const std::optional<Bounds> bounds = bounds_of(conv.post_ops);
  if (!x || !bounds) return false;
  std::vector<OpId> inputs = {x->x, x->zero_op};
  IntegerConv integer;
  if (residual_input(graph.op(id)) >= 0) {
    const std::optional<Quantized> residual = dequantized(graph, graph.op(id).inputs[1]);
    if (!residual) return false;
    inputs.push_back(residual->x);
    integer.residuals.push_back({.zero = residual->zero, .scale = residual->scale});
  }
  const Shape shape = graph.weight(conv.weights).shape;
  const auto bytes = byte_weights(values_of(graph, conv.weights), static_cast<std::size_t>(shape[0]));
  if (!bytes) return false;
  integer.window = conv.window;
  integer.groups = conv.groups;
  integer.shift = conv.bias;
  integer.low = bounds->low;
  integer.high = bounds->high;
  set_weights(graph, graph.op(id).name, shape, *bytes, x->scale, integer);
  graph.op(id).inputs = std::move(inputs);
  graph.op(id).attributes = std::move(integer);
  return true;
}

// Dequantised rows (..., k) times a constant matrix (k, n): a 1x1 convolution of (rows, k, 1, 1).
bool make_integer_product(Graph& graph, OpId id) {
  if (as<MatMul>(graph.op(id)) == nullptr || graph.op(id).type != ElementType::f32) return false;
  const OpId b = graph.op(id).inputs[1];
  const auto* constant = as<Constant>(graph.op(b));
  const std::optional<Quantized> a = dequantized(graph, graph.op(id).inputs[0]);
  if (constant == nullptr || graph.shape(b).size() != 2 || !a) return false;
  const std::span<const float> matrix = values_of(graph, constant->value);
  const Index k = graph.shape(b)[0];
  const Index n = graph.shape(b)[1];
  std::vector<float> turned;
  for (Index m = 0; m < n; ++m)
    for (Index i = 0; i < k; ++i) turned.push_back(matrix[static_cast<std::size_t>(i * n + m)]);
  const auto bytes = byte_weights(turned, static_cast<std::size_t>(n));
  if (!bytes) return false;
  const std::string name = graph.op(id).name;
  const Index rows = volume(graph.shape(a->x)) / k;
  IntegerConv product;
  set_weights(graph, name, {n, k, 1, 1}, *bytes, a->scale, product);
  const OpId map = insert(graph, id,
                          {.name = unique_name(graph, name + "/rows"),
                           .inputs = {a->x},
                           .shape = {rows, k, 1, 1},
                           .type = a->type,
                           .attributes = Reshape{}});
  const OpId all = insert(graph, map + 1,
                          {.name = unique_name(graph, name + "/product"),
                           .inputs = {map, a->zero_op},
                           .shape = {rows, n, 1, 1},
                           .type = ElementType::f32,
                           .attributes = std::move(product)});
  graph.op(all + 1).inputs = {all};
  graph.op(all + 1).attributes = Reshape{};
  return true;
}

}  // namespace

bool find_integer_convs(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>&) {
    return make_integer_conv(graph, id) || make_integer_product(graph, id);
  });
}

// ---- what stands behind an integer convolution --------------------------------------------------------------------

namespace {

void divide(Graph& graph, WeightId& id, float by) {
  if (id == no_weight) return;
  for (float& value : values_to_change(graph, id)) value /= by;
}

// The only reader of a scaled convolution quantises it: bounds become those of the bytes.
bool take_quantisation(Graph& graph, OpId id, const std::vector<int>& uses) {
  const std::optional<Quantized> dst = quantized(graph, id);
  if (!dst || !read_once(uses, dst->x)) return false;
  const auto* conv = as<IntegerConv>(graph.op(dst->x));
  if (conv == nullptr || conv->to != ElementType::f32) return false;
  take_over(graph, dst->x, id);
  IntegerConv& all = *as<IntegerConv>(graph.op(id));
  const bool was_quantised = !all.residuals.empty() && all.residuals.front().step != 0;
  if (!was_quantised) {
    divide(graph, all.scale, dst->scale);
    divide(graph, all.shift, dst->scale);
  }
  for (QuantizedResidual& residual : all.residuals) {
    residual.scale /= dst->scale;
    residual.step /= dst->scale;
  }
  const ByteRange range = range_of(dst->type);
  const auto bound = [&](float value) {
    return std::clamp(std::nearbyint(value / dst->scale) + dst->zero, range.low, range.high);
  };
  all.to = dst->type;
  all.zero = dst->zero;
  all.low = bound(all.low);
  all.high = bound(all.high);
  return true;
}

/// The operands of a sum, one of which is the result of an integer convolution that nobody else reads.
struct Sum {
  Quantized conv;
  Quantized residual;
};

std::optional<Sum> sum_of(const Graph& graph, const Op& op, const std::vector<int>& uses) {
  const auto* binary = as<Binary>(op);
  if (binary == nullptr || binary->kind != BinaryKind::add) return std::nullopt;
  const auto [earlier, later] = std::minmax({op.inputs[0], op.inputs[1]});
  for (const auto& [one, other] : {std::pair(later, earlier), std::pair(earlier, later)}) {
    const std::optional<Quantized> result = dequantized(graph, one);
    const std::optional<Quantized> residual = dequantized(graph, other);
    if (!result || !residual || one == other || !read_once(uses, one) || !read_once(uses, result->x)) continue;
    const auto* conv = as<IntegerConv>(graph.op(result->x));
    const bool fits = conv != nullptr && conv->residuals.empty() && conv->zero == result->zero &&
                      graph.shape(result->x) == op.shape && graph.shape(residual->x) == op.shape;
    if (fits) return Sum{*result, *residual};
  }
  return std::nullopt;
}

bool take_sum(Graph& graph, OpId id, const std::vector<int>& uses) {
  const std::optional<Sum> sum = sum_of(graph, graph.op(id), uses);
  if (!sum) return false;
  const std::optional<Bounds> bounds = bounds_of(as<Binary>(graph.op(id))->post_ops);
  if (!bounds) return false;
  take_over(graph, sum->conv.x, id);
  graph.op(id).inputs.push_back(sum->residual.x);
  IntegerConv& all = *as<IntegerConv>(graph.op(id));
  all.residuals.push_back({.zero = sum->residual.zero,
                           .scale = sum->residual.scale,
                           .step = sum->conv.scale,
                           .low = all.low - all.zero,
                           .high = all.high - all.zero});
  all.to = ElementType::f32;
  all.zero = 0;
  all.low = bounds->low;
  all.high = bounds->high;
  return true;
}

}  // namespace

bool fuse_quantised(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>& uses) {
    return take_quantisation(graph, id, uses) || take_sum(graph, id, uses);
  });
}

}  // namespace strake::rewrite

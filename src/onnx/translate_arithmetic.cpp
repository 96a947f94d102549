// SPDX-License-Identifier: Apache-2.0
// Elementwise operators, matrix products and reductions.

#include <algorithm>
#include <limits>

#include "onnx/translator.hpp"

namespace strake::onnx_import {

namespace {

void activation(Translator& t, const Node& node, const Activation& function) {
  t.output(node, t.add(node, {t.op(node, 0)}, Elementwise{function}));
}

// Operators that are an activation without attributes.
template <ActivationKind kind>
void plain(Translator& t, const Node& node) {
  activation(t, node, {kind, 0, 0});
}

void leaky_relu(Translator& t, const Node& node) {
  activation(t, node, {ActivationKind::leaky_relu, node.number("alpha", 0.01F), 0});
}

void elu(Translator& t, const Node& node) { activation(t, node, {ActivationKind::elu, node.number("alpha", 1.0F), 0}); }

void hard_sigmoid(Translator& t, const Node& node) {
  activation(t, node, {ActivationKind::hard_sigmoid, node.number("alpha", 0.2F), node.number("beta", 0.5F)});
}

void clip(Translator& t, const Node& node) {
  float low = std::numeric_limits<float>::lowest();
  float high = std::numeric_limits<float>::max();
  if (node.opset() < 11) {
    low = node.number("min", low);
    high = node.number("max", high);
  } else {
    if (node.has_input(1) && t.known(node, 1).size() == 1) low = static_cast<float>(t.known(node, 1).at(0));
    if (node.has_input(2) && t.known(node, 2).size() == 1) high = static_cast<float>(t.known(node, 2).at(0));
  }
  activation(t, node, {ActivationKind::clip, low, high});
}

void prelu(Translator& t, const Node& node) {
  const HostValue& slope = t.known(node, 1);
  if (slope.kind != ValueKind::floats || slope.size() != 1) throw node.error("a slope per channel is not supported");
  activation(t, node, {ActivationKind::leaky_relu, slope.floats.floats()[0], 0});
}

// Any number of inputs, two at a time.
OpId chained(Translator& t, const Node& node, BinaryKind kind) {
  if (node.n_inputs() == 0) throw node.error("has no inputs");
  OpId sum = t.op(node, 0);
  for (int i = 1; i < node.n_inputs(); ++i) sum = t.add(node, {sum, t.op(node, i)}, Binary{kind, {}});
  return sum;
}

template <BinaryKind kind>
void binary(Translator& t, const Node& node) {
  if (node.n_inputs() != 2 && kind != BinaryKind::max && kind != BinaryKind::min)
    throw node.error("has " + std::to_string(node.n_inputs()) + " inputs, expected 2");
  t.output(node, chained(t, node, kind));
}

void sum(Translator& t, const Node& node) { t.output(node, chained(t, node, BinaryKind::add)); }

void mean(Translator& t, const Node& node) {
  const OpId all = chained(t, node, BinaryKind::add);
  t.output(node,
           t.add(node, {all}, Elementwise{{ActivationKind::linear, 1.0F / static_cast<float>(node.n_inputs()), 0}}));
}

// A fully connected layer: weights (m, k) as a 1x1 convolution over (n, k, 1, 1).
OpId fully_connected(Translator& t, const Node& node, OpId src, WeightId weights, WeightId bias) {
  const Shape shape = t.graph().shape(src);
  const Index m = t.graph().weight(weights).shape[0];
  const OpId map = t.reshape(node, src, {shape[0], shape[1], 1, 1});
  Conv attributes;
  attributes.weights = weights;
  attributes.bias = bias;
  const OpId product = t.add(node, {map}, attributes);
  return t.reshape(node, product, {shape[0], m});
}

// The weights (m, k, 1, 1) of a constant matrix B, (k, m) or (m, k) if transposed, times alpha.
WeightId matrix_weights(Translator& t, const Node& node, bool transposed, float alpha) {
  const HostValue& b = t.known(node, 1);
  if (b.kind != ValueKind::floats || b.shape.size() != 2)
    throw node.error("B has shape " + to_string(b.shape) + ", expected a matrix of floats");
  const Index m = b.shape[transposed ? 0 : 1];
  const Index k = b.shape[transposed ? 1 : 0];
  Blob values = b.floats;
  if (!transposed) values = picked(b, {m, k}, {1, m}, 0).floats;
  if (alpha != 1.0F) {
    values = Blob::copy_of(values.floats());
    for (float& value : values.floats()) value *= alpha;
  }
  return t.weight(node.proto().input(1), {m, k, 1, 1}, std::move(values));
}

// C as a bias of m values times beta; nothing where it does not vary along the last axis only.
std::optional<std::vector<float>> bias_values(const HostValue& c, Index m, float beta) {
  const bool fits = c.kind == ValueKind::floats && (c.size() == 1 || (c.size() == m && c.shape.back() == m));
  if (!fits) return std::nullopt;
  std::vector<float> values;
  for (Index i = 0; i < m; ++i) values.push_back(beta * static_cast<float>(c.at(c.size() == 1 ? 0 : i)));
  return values;
}

OpId transposed_matrix(Translator& t, const Node& node, OpId matrix) {
  return t.add(node, {matrix}, Transpose{{1, 0}});
}

OpId scaled(Translator& t, const Node& node, OpId op, float factor) {
  if (factor == 1.0F) return op;
  return t.add(node, {op}, Elementwise{{ActivationKind::linear, factor, 0}});
}

void gemm(Translator& t, const Node& node) {
  const float alpha = node.number("alpha", 1.0F);
  const float beta = node.number("beta", 1.0F);
  const bool transpose_b = node.integer("transB", 0) != 0;
  OpId a = t.op(node, 0);
  if (t.graph().shape(a).size() != 2)
    throw node.error("A has shape " + to_string(t.graph().shape(a)) + ", expected a matrix");
  if (node.integer("transA", 0) != 0) a = transposed_matrix(t, node, a);
  if (t.constant(node, 1) != nullptr) {
    const WeightId weights = matrix_weights(t, node, transpose_b, alpha);
    const Shape weight_shape = t.graph().weight(weights).shape;
    if (weight_shape[1] != t.graph().shape(a)[1])
      throw node.error("cannot multiply " + to_string(t.graph().shape(a)) + " by " + to_string(t.known(node, 1).shape));
    WeightId bias = no_weight;
    std::optional<std::vector<float>> values;
    if (node.has_input(2) && t.constant(node, 2) != nullptr)
      values = bias_values(t.known(node, 2), weight_shape[0], beta);
    if (values) bias = t.weight(node.proto().input(2), {weight_shape[0]}, Blob::copy_of(*values));
    OpId result = fully_connected(t, node, a, weights, bias);
    if (node.has_input(2) && !values)
      result = t.add(node, {result, scaled(t, node, t.op(node, 2), beta)}, Binary{BinaryKind::add, {}});
    return t.output(node, result);
  }
  OpId b = t.op(node, 1);
  if (transpose_b) b = transposed_matrix(t, node, b);
  OpId result = scaled(t, node, t.add(node, {a, b}, MatMul{}), alpha);
  if (node.has_input(2))
    result = t.add(node, {result, scaled(t, node, t.op(node, 2), beta)}, Binary{BinaryKind::add, {}});
  t.output(node, result);
}

void matmul(Translator& t, const Node& node) {
  OpId a = t.op(node, 0);
  const Shape shape = t.graph().shape(a);
  const HostValue* b = t.constant(node, 1);
  const Index rows = shape.empty() ? 0 : volume(shape) / shape.back();
  const bool few_rows = shape.size() == 2 || (shape.size() > 2 && rows == 1);
  if (b != nullptr && b->shape.size() == 2 && few_rows) {
    if (b->shape[0] != shape.back())
      throw node.error("cannot multiply " + to_string(shape) + " by " + to_string(b->shape));
    const OpId flat = t.reshape(node, a, {rows, shape.back()});
    const OpId product = fully_connected(t, node, flat, matrix_weights(t, node, false, 1.0F), no_weight);
    Shape result = shape;
    result.back() = b->shape[1];
    return t.output(node, t.reshape(node, product, result));
  }
  if (shape.size() < 2 || t.shape(node, 1).size() < 2) throw node.error("products with vectors are not supported");
  t.output(node, t.add(node, {a, t.op(node, 1)}, MatMul{}));
}

void softmax(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  const int axis =
      axis_of(node, node.integer("axis", node.opset() < 13 ? 1 : -1), std::max<std::size_t>(shape.size(), 1));
  if (node.opset() >= 13) return t.output(node, t.add(node, {src}, Softmax{axis}));
  // Before opset 13 everything from the axis on counts as one.
  Shape flat{1, 1};
  bool ones_behind = true;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    flat[static_cast<int>(i) < axis ? 0 : 1] *= shape[i];
    if (static_cast<int>(i) > axis) ones_behind = ones_behind && shape[i] == 1;
  }
  if (ones_behind) return t.output(node, t.add(node, {src}, Softmax{axis}));
  const OpId rows = t.add(node, {t.reshape(node, src, flat)}, Softmax{1});
  t.output(node, t.reshape(node, rows, shape));
}

template <GenericReduceKind kind>
void reduce(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  std::vector<int> axes;
  for (const std::int64_t axis : axes_of(t, node).value_or(std::vector<std::int64_t>{}))
    axes.push_back(axis_of(node, axis, shape.size()));
  if (axes.empty()) {
    if (node.integer("noop_with_empty_axes", 0) != 0) return t.output(node, src);
    for (std::size_t axis = 0; axis < shape.size(); ++axis) axes.push_back(static_cast<int>(axis));
  }
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  OpId result = t.add(node, {src}, Reduce{kind, axes});
  if (node.integer("keepdims", 1) == 0) {
    Shape kept;
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      if (!std::binary_search(axes.begin(), axes.end(), static_cast<int>(axis))) kept.push_back(shape[axis]);
    result = t.reshape(node, result, kept);
  }
  t.output(node, result);
}

}  // namespace

const std::map<std::string, Translation>& arithmetic_translations() {
  static const std::map<std::string, Translation> table = {{"Abs", plain<ActivationKind::abs>},
                                                           {"Add", binary<BinaryKind::add>},
                                                           {"Ceil", plain<ActivationKind::ceil>},
                                                           {"Clip", clip},
                                                           {"Div", binary<BinaryKind::div>},
                                                           {"Elu", elu},
                                                           {"Exp", plain<ActivationKind::exp>},
                                                           {"Floor", plain<ActivationKind::floor>},
                                                           {"Gemm", gemm},
                                                           {"HardSigmoid", hard_sigmoid},
                                                           {"HardSwish", plain<ActivationKind::hard_swish>},
                                                           {"LeakyRelu", leaky_relu},
                                                           {"Log", plain<ActivationKind::log>},
                                                           {"MatMul", matmul},
                                                           {"Max", binary<BinaryKind::max>},
                                                           {"Mean", mean},
                                                           {"Min", binary<BinaryKind::min>},
                                                           {"Mul", binary<BinaryKind::mul>},
                                                           {"Neg", plain<ActivationKind::neg>},
                                                           {"PRelu", prelu},
                                                           {"Pow", binary<BinaryKind::pow>},
                                                           {"Reciprocal", plain<ActivationKind::reciprocal>},
                                                           {"ReduceMax", reduce<GenericReduceKind::max>},
                                                           {"ReduceMean", reduce<GenericReduceKind::mean>},
                                                           {"ReduceMin", reduce<GenericReduceKind::min>},
                                                           {"ReduceSum", reduce<GenericReduceKind::sum>},
                                                           {"Relu", plain<ActivationKind::relu>},
                                                           {"Sigmoid", plain<ActivationKind::sigmoid>},
                                                           {"Softmax", softmax},
                                                           {"Softplus", plain<ActivationKind::softplus>},
                                                           {"Sqrt", plain<ActivationKind::sqrt>},
                                                           {"Sub", binary<BinaryKind::sub>},
                                                           {"Sum", sum},
                                                           {"Tanh", plain<ActivationKind::tanh>}};
  return table;
}

}  // namespace strake::onnx_import

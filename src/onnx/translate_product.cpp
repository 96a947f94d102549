// SPDX-License-Identifier: Apache-2.0
// Matrix products.

#include <algorithm>

#include "onnx/translator.hpp"

namespace strake::onnx_import {

namespace {

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

bool is_constant_matrix(const HostValue* value, const Graph& graph, OpId a) {
  return value != nullptr && value->is_floats() && graph.op(a).type == ElementType::f32 && value->shape.size() == 2;
}

// The weights (m, k, 1, 1) of a constant matrix B, (k, m) or (m, k) if transposed, times alpha.
WeightId matrix_weights(Translator& t, const Node& node, bool transposed, float alpha) {
  const HostValue& b = t.known(node, 1);
  const Index m = b.shape[transposed ? 0 : 1];
  const Index k = b.shape[transposed ? 1 : 0];
  Blob values = b.floats();
  if (!transposed) values = HostValue(picked(b, {m, k}, {1, m}, 0)).floats();
  if (alpha != 1.0F) {
    values = Blob::copy_of(values.floats());
    for (float& value : values.floats()) value *= alpha;
  }
  return t.weight(node.proto().input(1), {m, k, 1, 1}, std::move(values));
}

// C as a bias of m values times beta; nothing where it does not vary along the last axis only.
std::optional<std::vector<float>> bias_values(const HostValue& c, Index m, float beta) {
  const bool fits = c.is_floats() && (c.size() == 1 || (c.size() == m && c.shape.back() == m));
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

OpId plus_c(Translator& t, const Node& node, OpId product, float beta) {
  if (!node.has_input(2)) return product;
  return t.add(node, {product, scaled(t, node, t.op(node, 2), beta)}, Binary{BinaryKind::add, {}});
}

OpId matrix_of(Translator& t, const Node& node, int input, bool transposed) {
  const OpId matrix = t.op(node, input);
  if (t.graph().shape(matrix).size() != 2)
    throw node.error("input " + std::to_string(input) + " has shape " + to_string(t.graph().shape(matrix)) +
                     ", expected a matrix");
  return transposed ? transposed_matrix(t, node, matrix) : matrix;
}

void gemm(Translator& t, const Node& node) {
  const float alpha = node.number("alpha", 1.0F);
  const float beta = node.number("beta", 1.0F);
  const bool transpose_b = node.integer("transB", 0) != 0;
  const OpId a = matrix_of(t, node, 0, node.integer("transA", 0) != 0);
  if (!is_constant_matrix(t.constant(node, 1), t.graph(), a)) {
    const OpId product = t.add(node, {a, matrix_of(t, node, 1, transpose_b)}, MatMul{});
    return t.output(node, plus_c(t, node, scaled(t, node, product, alpha), beta));
  }
  const WeightId weights = matrix_weights(t, node, transpose_b, alpha);
  const Shape weight_shape = t.graph().weight(weights).shape;
  if (weight_shape[1] != t.graph().shape(a)[1])
    throw node.error("cannot multiply " + to_string(t.graph().shape(a)) + " by " + to_string(t.known(node, 1).shape));
  WeightId bias = no_weight;
  std::optional<std::vector<float>> values;
  if (node.has_input(2) && t.constant(node, 2) != nullptr)
    values = bias_values(t.known(node, 2), weight_shape[0], beta);
  if (values) bias = t.weight(node.proto().input(2), {weight_shape[0]}, Blob::copy_of(*values));
  const OpId result = fully_connected(t, node, a, weights, bias);
  t.output(node, values ? result : plus_c(t, node, result, beta));
}

// A vector as a matrix of one row (the first operand) or of one column (the second).
OpId as_matrix(Translator& t, const Node& node, int input) {
  const OpId op = t.op(node, input);
  const Shape shape = t.graph().shape(op);
  if (shape.empty()) throw node.error("input " + std::to_string(input) + " is a scalar");
  if (shape.size() > 1) return op;
  return t.reshape(node, op, input == 0 ? Shape{1, shape[0]} : Shape{shape[0], 1});
}

void matmul(Translator& t, const Node& node) {
  const Shape shape_b = t.shape(node, 1);
  const OpId a = as_matrix(t, node, 0);
  const Shape shape = t.graph().shape(a);
  const Index rows = volume(shape) / shape.back();
  OpId product = 0;
  // With few rows, or one, it is a layer; with many, strips of rows are.
  const bool is_layer = shape.size() == 2 || rows == 1;
  if (is_layer && is_constant_matrix(t.constant(node, 1), t.graph(), a)) {
    if (shape_b[0] != shape.back())
      throw node.error("cannot multiply " + to_string(shape) + " by " + to_string(shape_b));
    const OpId flat = t.reshape(node, a, {rows, shape.back()});
    Shape result = shape;
    result.back() = shape_b[1];
    product = t.reshape(node, fully_connected(t, node, flat, matrix_weights(t, node, false, 1.0F), no_weight), result);
  } else {
    product = t.add(node, {a, as_matrix(t, node, 1)}, MatMul{});
  }
  Shape result = t.graph().shape(product);
  if (t.shape(node, 0).size() == 1) result.erase(result.end() - 2);
  if (shape_b.size() == 1) result.pop_back();
  t.output(node, t.reshape(node, product, result));
}

}  // namespace

const std::map<std::string, Translation>& product_translations() {
  static const std::map<std::string, Translation> table = {{"Einsum", einsum}, {"Gemm", gemm}, {"MatMul", matmul}};
  return table;
}

}  // namespace strake::onnx_import

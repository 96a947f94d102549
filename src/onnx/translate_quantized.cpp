// SPDX-License-Identifier: Apache-2.0
// Numbers of few bits: to and from floats, and convolutions and products of them.

#include <algorithm>
#include <cmath>

#include "onnx/model_file.hpp"
#include "onnx/spatial.hpp"

namespace strake::onnx_import {

namespace {

// ---- scales and zero points ---------------------------------------------------------------------------------------

OpId number(Translator& t, const Node& node, ElementType type, float value) {
  const HostTensor one = converted(HostTensor::of<float>({}, {value}), type);
  return t.add(node, {}, Constant{t.weight(node.name() + "/scalar", {}, one.data, type)});
}

// An input that is left out counts as zero.
OpId zero_point(Translator& t, const Node& node, int input, ElementType type) {
  return node.has_input(input) ? t.op(node, input) : number(t, node, type, 0);
}

// One scale or zero point for all, or one for each slice along the node's axis, so that it broadcasts to `shape`.
OpId along_axis(Translator& t, const Node& node, OpId values, const Shape& shape) {
  const Shape own = t.graph().shape(values);
  if (volume(own) == 1) return t.reshape(node, values, {});
  if (node.integer("block_size", 0) != 0) throw node.not_in_graph("blocks of scales");
  const auto axis = static_cast<std::size_t>(axis_of(node, node.integer("axis", 1), shape.size()));
  if (own.size() != 1 || own[0] != shape[axis])
    throw node.error("a scale of shape " + to_string(own) + " for an input of shape " + to_string(shape));
  Shape broadcast(shape.size() - axis, 1);
  broadcast.front() = own[0];
  return t.reshape(node, values, broadcast);
}

// The type that a node without a zero point quantises to.
ElementType declared_type(const Node& node) {
  const auto dtype = static_cast<int>(std::clamp<std::int64_t>(node.integer("output_dtype", 0), 0, 1000));
  if (dtype == 0) return ElementType::u8;
  const std::optional<ElementType> type = element_type(dtype);
  if (!type) throw node.not_in_graph("quantises to " + type_name(dtype));
  return *type;
}

void quantize_linear(Translator& t, const Node& node) {
  OpId x = t.op(node, 0);
  const Shape shape = t.graph().shape(x);
  if (t.type_of(x) == ElementType::i32)
    x = t.add(node, {x}, Pointwise{.kind = PointwiseKind::cast, .to = ElementType::f32});
  const OpId zero = node.has_input(2) ? t.op(node, 2) : number(t, node, declared_type(node), 0);
  const OpId scale = along_axis(t, node, t.op(node, 1), shape);
  const std::vector<OpId> inputs = {x, scale, along_axis(t, node, zero, shape)};
  t.output(node, t.add(node, inputs, Pointwise{.kind = PointwiseKind::quantize}));
}

void dequantize_linear(Translator& t, const Node& node) {
  const OpId x = t.op(node, 0);
  const Shape shape = t.graph().shape(x);
  const OpId scale = along_axis(t, node, t.op(node, 1), shape);
  const std::vector<OpId> inputs = {x, scale, along_axis(t, node, zero_point(t, node, 2, t.type_of(x)), shape)};
  t.output(node, t.add(node, inputs, Pointwise{.kind = PointwiseKind::dequantize}));
}

void dynamic_quantize_linear(Translator& t, const Node& node) {
  const OpId x = t.op(node, 0);
  std::vector<int> axes;
  for (std::size_t axis = 0; axis < t.graph().shape(x).size(); ++axis) axes.push_back(static_cast<int>(axis));
  if (axes.empty()) throw node.not_in_graph("quantises a single number");
  const OpId none = scalar(t, node, 0);
  const auto bound = [&](GenericReduceKind reduced, BinaryKind kept) {
    const OpId all = t.reshape(node, t.add(node, {x}, Reduce{reduced, axes}), {});
    return t.add(node, {all, none}, Binary{kept, {}});
  };
  const OpId low = bound(GenericReduceKind::min, BinaryKind::min);
  const OpId high = bound(GenericReduceKind::max, BinaryKind::max);
  const OpId span = t.add(node, {high, low}, Binary{BinaryKind::sub, {}});
  const OpId scale = t.add(node, {span, scalar(t, node, 255)}, Binary{BinaryKind::div, {}});
  const OpId below = t.add(node, {none, low}, Binary{BinaryKind::sub, {}});
  const Pointwise quantize{.kind = PointwiseKind::quantize};
  const OpId zero = t.add(node, {below, scale, number(t, node, ElementType::u8, 0)}, quantize);
  t.output(node, t.add(node, {x, scale, zero}, quantize));
  t.output(node, scale, 1);
  t.output(node, zero, 2);
}

// ---- convolutions -------------------------------------------------------------------------------------------------

/// Which inputs of a node are what; -1 for what the operator does not have.
struct Operands {
  int x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias;
};
constexpr Operands integers = {-1, 2, 1, -1, 3, -1, -1, -1};
constexpr Operands operands_of_qlinear = {1, 2, 3, 4, 5, 6, 7, 8};

bool is_known_byte(const HostValue* value) { return value != nullptr && is_byte(value->type); }

void check_count(const Node& node, const char* what, Index count, Index m) {
  if (count != 1 && count != m)
    throw node.error(std::to_string(count) + " " + what + " for " + std::to_string(m) + " channels");
}

float only(const Translator& t, const Node& node, int input) {
  const HostValue& value = t.known(node, input);
  if (value.size() != 1) throw node.not_in_graph("'" + node.proto().input(input) + "' is more than one number");
  return static_cast<float>(value.at(0));
}

void set_zeros(Translator& t, const Node& node, const Operands& at, Index m, IntegerConv& conv) {
  if (!node.has_input(at.w_zero)) return;
  const HostValue& zeros = t.known(node, at.w_zero);
  check_count(node, "zero points", zeros.size(), m);
  conv.weight_zeros = t.weight(node.proto().input(at.w_zero), {zeros.size()}, zeros.data, zeros.type);
}

// x_scale * w_scale / y_scale: one for all of `m` channels, or one for each.
std::vector<float> multipliers(const Translator& t, const Node& node, const Operands& at, Index m) {
  std::vector<float> scales = known_floats(t, node, at.w_scale);
  check_count(node, "scales", static_cast<Index>(scales.size()), m);
  for (float& scale : scales) scale = only(t, node, at.x_scale) * scale / only(t, node, at.y_scale);
  return scales;
}

// How the sums become bytes again.
void set_scales(Translator& t, const Node& node, const Operands& at, Index m, IntegerConv& conv) {
  if (at.y_scale < 0) return;
  std::vector<float> scales = multipliers(t, node, at, m);
  scales.resize(static_cast<std::size_t>(m), scales.front());
  conv.scale = t.weight(node.name() + "/scale", {m}, Blob::copy_of(scales));
  const HostValue* zero = node.has_input(at.y_zero) ? &t.known(node, at.y_zero) : nullptr;
  conv.to = zero == nullptr ? ElementType::u8 : zero->type;
  if (!is_byte(conv.to)) throw node.not_in_graph("makes numbers of type " + std::string(to_string(conv.to)));
  conv.zero = zero == nullptr ? 0 : only(t, node, at.y_zero);
  const ByteRange range = range_of(conv.to);
  conv.low = range.low;
  conv.high = range.high;
}

void integer_conv(Translator& t, const Node& node, const Operands& at) {
  const OpId x = t.op(node, 0);
  const Shape shape = t.graph().shape(x);
  const HostValue& w = t.known(node, at.w);
  const ConvForm form = conv_form(node, shape, w.shape);
  if (shape.size() > 4) throw node.not_in_graph("an integer convolution of volumes");
  IntegerConv conv;
  conv.groups = form.groups;
  conv.window = window_of(node, shape, form.kernel);
  conv.weights = t.weight(node.proto().input(at.w), map_shape(w.shape), w.data, w.type);
  set_zeros(t, node, at, w.shape[0], conv);
  set_scales(t, node, at, w.shape[0], conv);
  if (at.bias >= 0 && node.has_input(at.bias)) {
    const HostValue& bias = t.known(node, at.bias);
    conv.bias = t.weight(node.proto().input(at.bias), bias.shape, bias.data, bias.type);
  }
  const OpId map = as_map(t, node, x);
  give_back(t, node, t.add(node, {map, zero_point(t, node, at.x_zero, t.type_of(x))}, conv), shape.size());
}

void conv_integer(Translator& t, const Node& node) { integer_conv(t, node, integers); }
void qlinear_conv(Translator& t, const Node& node) { integer_conv(t, node, operands_of_qlinear); }

// ---- products of matrices -----------------------------------------------------------------------------------------

bool is_one(const Translator& t, const Node& node, int input) {
  return !node.has_input(input) || volume(t.shape(node, input)) == 1;
}

// Rows (..., k) times a constant matrix (k, n), as a 1x1 convolution of (rows, k, 1, 1).
OpId times_matrix(Translator& t, const Node& node, const Operands& at) {
  const OpId a = t.op(node, 0);
  Shape shape = t.graph().shape(a);
  const HostValue& b = t.known(node, at.w);
  const Index k = b.shape[0];
  const Index n = b.shape[1];
  if (shape.empty() || shape.back() != k)
    throw node.error("cannot multiply " + to_string(shape) + " by " + to_string(b.shape));
  IntegerConv conv;
  conv.weights = t.weight(node.proto().input(at.w), {n, k, 1, 1}, picked(b, {n, k}, {1, n}, 0).data, b.type);
  set_zeros(t, node, at, n, conv);
  set_scales(t, node, at, n, conv);
  const OpId rows = t.reshape(node, a, {volume(shape) / k, k, 1, 1});
  const OpId product = t.add(node, {rows, zero_point(t, node, at.x_zero, t.type_of(a))}, conv);
  shape.back() = n;
  return t.reshape(node, product, shape);
}

// The input less its zero points as i32. Zero points of rows stand in a column.
OpId less_zeros(Translator& t, const Node& node, int input, int zero_input, bool by_row) {
  const auto wide = [&](OpId id) {
    return t.add(node, {id}, Pointwise{.kind = PointwiseKind::cast, .to = ElementType::i32});
  };
  const OpId x = wide(t.op(node, input));
  if (!node.has_input(zero_input)) return x;
  OpId zeros = t.op(node, zero_input);
  const Shape shape = t.graph().shape(zeros);
  if (volume(shape) == 1) zeros = t.reshape(node, zeros, {});
  if (volume(shape) > 1 && by_row && shape.size() == 1) zeros = t.reshape(node, zeros, {shape[0], 1});
  return t.add(node, {x, wide(zeros)}, Pointwise{.kind = PointwiseKind::sub});
}

OpId integer_product(Translator& t, const Node& node, const Operands& at) {
  if (t.shape(node, 0).size() < 2 || t.shape(node, at.w).size() < 2) throw node.not_in_graph("a product with a vector");
  const OpId a = less_zeros(t, node, 0, at.x_zero, true);
  return t.add(node, {a, less_zeros(t, node, at.w, at.w_zero, false)}, MatMul{});
}

bool is_layer(const Translator& t, const Node& node, const Operands& at) {
  const HostValue* b = t.constant(node, at.w);
  return is_known_byte(b) && b->shape.size() == 2 && is_one(t, node, at.x_zero) &&
         (at.x_scale < 0 || is_one(t, node, at.x_scale));
}

void matmul_integer(Translator& t, const Node& node) {
  t.output(node, is_layer(t, node, integers) ? times_matrix(t, node, integers) : integer_product(t, node, integers));
}

void qlinear_matmul(Translator& t, const Node& node) {
  if (is_layer(t, node, operands_of_qlinear)) return t.output(node, times_matrix(t, node, operands_of_qlinear));
  const OpId sums = integer_product(t, node, operands_of_qlinear);
  const std::vector<float> scales = multipliers(t, node, operands_of_qlinear, t.graph().shape(sums).back());
  const Shape shape = {static_cast<Index>(scales.size())};
  const OpId scale = t.add(node, {}, Constant{t.weight(node.name() + "/scale", shape, Blob::copy_of(scales))}, shape);
  const Pointwise dequantize{.kind = PointwiseKind::dequantize};
  const OpId product = t.add(node, {sums, scale, number(t, node, ElementType::i32, 0)}, dequantize);
  const OpId zero = zero_point(t, node, operands_of_qlinear.y_zero, ElementType::u8);
  const std::vector<OpId> inputs = {product, scalar(t, node, 1), t.reshape(node, zero, {})};
  t.output(node, t.add(node, inputs, Pointwise{.kind = PointwiseKind::quantize}));
}

}  // namespace

const std::map<std::string, Translation>& quantized_translations() {
  static const std::map<std::string, Translation> table = {{"ConvInteger", conv_integer},
                                                           {"DequantizeLinear", dequantize_linear},
                                                           {"DynamicQuantizeLinear", dynamic_quantize_linear},
                                                           {"MatMulInteger", matmul_integer},
                                                           {"QLinearConv", qlinear_conv},
                                                           {"QLinearMatMul", qlinear_matmul},
                                                           {"QuantizeLinear", quantize_linear}};
  return table;
}

}  // namespace strake::onnx_import

// SPDX-License-Identifier: Apache-2.0
// Operators that compute each cell from one cell of each input. Those of f32 become Elementwise and Binary, which
// rewrites fuse; the others Pointwise.

#include <algorithm>
#include <limits>

#include "onnx/model_file.hpp"
#include "onnx/translator.hpp"

namespace strake::onnx_import {

namespace {

std::vector<OpId> inputs_of(Translator& t, const Node& node) {
  std::vector<OpId> ids;
  for (int i = 0; i < node.n_inputs(); ++i) ids.push_back(t.op(node, i));
  return ids;
}

void expect_inputs(const Node& node, int count) {
  if (node.n_inputs() != count)
    throw node.error("has " + std::to_string(node.n_inputs()) + " inputs, expected " + std::to_string(count));
}

// ---- functions of one input ---------------------------------------------------------------------------------------

void activation(Translator& t, const Node& node, const Activation& function) {
  t.output(node, t.add(node, {t.op(node, 0)}, Elementwise{function}));
}

// Operators that are an activation without attributes.
template <ActivationKind kind>
void plain(Translator& t, const Node& node) {
  activation(t, node, {kind, 0, 0});
}

/// Attributes of an activation and what they are when they are left out.
struct Defaults {
  const char* alpha = nullptr;
  float alpha_value = 0;
  const char* beta = nullptr;
  float beta_value = 0;
};

template <ActivationKind kind, const Defaults& names>
void with_attributes(Translator& t, const Node& node) {
  Activation function{.kind = kind, .alpha = node.number(names.alpha, names.alpha_value), .beta = 0};
  // NOLINTNEXTLINE(bugprone-string-constructor): never read where it is null.
  if (names.beta != nullptr) function.beta = node.number(names.beta, names.beta_value);
  activation(t, node, function);
}

constexpr Defaults celu{.alpha = "alpha", .alpha_value = 1};
constexpr Defaults elu{.alpha = "alpha", .alpha_value = 1};
constexpr Defaults hard_sigmoid{.alpha = "alpha", .alpha_value = 0.2F, .beta = "beta", .beta_value = 0.5F};
constexpr Defaults leaky_relu{.alpha = "alpha", .alpha_value = 0.01F};
constexpr Defaults selu{
    .alpha = "alpha", .alpha_value = 1.67326319217681884765625F, .beta = "gamma", .beta_value = 1.0507010221481323F};
constexpr Defaults shrink{.alpha = "lambd", .alpha_value = 0.5F, .beta = "bias", .beta_value = 0};
constexpr Defaults swish{.alpha = "alpha", .alpha_value = 1};
constexpr Defaults thresholded_relu{.alpha = "alpha", .alpha_value = 1};

void gelu(Translator& t, const Node& node) {
  const std::string form = node.text("approximate", "none");
  if (form != "none" && form != "tanh") throw node.error("approximate is '" + form + "', expected none or tanh");
  activation(t, node, {form == "tanh" ? ActivationKind::gelu_tanh : ActivationKind::gelu, 0, 0});
}

template <PointwiseKind kind>
void plain_pointwise(Translator& t, const Node& node) {
  expect_inputs(node, static_cast<int>(arity(kind)));
  t.output(node, t.add(node, inputs_of(t, node), Pointwise{.kind = kind}));
}

void is_inf(Translator& t, const Node& node) {
  const bool negative = node.integer("detect_negative", 1) != 0;
  const bool positive = node.integer("detect_positive", 1) != 0;
  const OpId x = t.op(node, 0);
  if (!negative && !positive) return t.output(node, t.add(node, {x, x}, Pointwise{.kind = PointwiseKind::less}));
  const PointwiseKind one_side = negative ? PointwiseKind::is_negative_inf : PointwiseKind::is_positive_inf;
  t.output(node, t.add(node, {x}, Pointwise{.kind = negative && positive ? PointwiseKind::is_inf : one_side}));
}

// ---- arithmetic ---------------------------------------------------------------------------------------------------

/// The same operation for f32 and for everything else.
struct Arithmetic {
  BinaryKind of_floats;
  PointwiseKind of_all;
};

constexpr Arithmetic adding{BinaryKind::add, PointwiseKind::add};
constexpr Arithmetic subtracting{BinaryKind::sub, PointwiseKind::sub};
constexpr Arithmetic multiplying{BinaryKind::mul, PointwiseKind::mul};
constexpr Arithmetic dividing{BinaryKind::div, PointwiseKind::div};
constexpr Arithmetic larger{BinaryKind::max, PointwiseKind::max};
constexpr Arithmetic smaller{BinaryKind::min, PointwiseKind::min};

OpId combine(Translator& t, const Node& node, OpId a, OpId b, const Arithmetic& how) {
  if (t.type_of(a) == ElementType::f32 && t.type_of(b) == ElementType::f32)
    return t.add(node, {a, b}, Binary{how.of_floats, {}});
  return t.add(node, {a, b}, Pointwise{.kind = how.of_all});
}

template <const Arithmetic& how>
void arithmetic(Translator& t, const Node& node) {
  expect_inputs(node, 2);
  t.output(node, combine(t, node, t.op(node, 0), t.op(node, 1), how));
}

// Any number of inputs, two at a time.
OpId chained(Translator& t, const Node& node, const Arithmetic& how) {
  const std::vector<OpId> inputs = inputs_of(t, node);
  if (inputs.empty()) throw node.error("has no inputs");
  OpId all = inputs.front();
  for (std::size_t i = 1; i < inputs.size(); ++i) all = combine(t, node, all, inputs[i], how);
  return all;
}

template <const Arithmetic& how>
void of_many(Translator& t, const Node& node) {
  t.output(node, chained(t, node, how));
}

// A constant of one element that no file has.
OpId scalar(Translator& t, const Node& node, ElementType type, double value) {
  const HostTensor one = converted(HostTensor::of<double>({}, {value}), type);
  return t.add(node, {}, Constant{t.graph().add_weight(node.name() + ".scalar", {}, one.data, type)});
}

void mean(Translator& t, const Node& node) {
  const OpId sum = chained(t, node, adding);
  const auto n = static_cast<double>(node.n_inputs());
  if (node.n_inputs() == 1) return t.output(node, sum);
  t.output(node, combine(t, node, sum, scalar(t, node, t.type_of(sum), n), dividing));
}

// Powers that have a shorter name, of f32.
std::optional<OpId> known_power(Translator& t, const Node& node, OpId base) {
  const HostValue* exponent = t.constant(node, 1);
  if (exponent == nullptr || exponent->size() != 1 || exponent->shape.size() > t.graph().shape(base).size())
    return std::nullopt;
  const double n = exponent->at(0);
  if (n == 1) return base;
  if (n == 2) return t.add(node, {base, base}, Binary{BinaryKind::mul, {}});
  if (n == 0.5) return t.add(node, {base}, Elementwise{{ActivationKind::sqrt, 0, 0}});
  if (n == -1) return t.add(node, {base}, Elementwise{{ActivationKind::reciprocal, 0, 0}});
  return std::nullopt;
}

void power(Translator& t, const Node& node) {
  expect_inputs(node, 2);
  const OpId base = t.op(node, 0);
  const bool of_floats = t.type_of(base) == ElementType::f32;
  if (of_floats)
    if (const std::optional<OpId> shorter = known_power(t, node, base)) return t.output(node, *shorter);
  const OpId exponent = t.op(node, 1);
  if (of_floats && t.type_of(exponent) == ElementType::f32)
    return t.output(node, t.add(node, {base, exponent}, Binary{BinaryKind::pow, {}}));
  t.output(node, t.add(node, {base, exponent}, Pointwise{.kind = PointwiseKind::pow}));
}

void modulo(Translator& t, const Node& node) {
  expect_inputs(node, 2);
  const PointwiseKind kind = node.integer("fmod", 0) != 0 ? PointwiseKind::fmod : PointwiseKind::mod;
  t.output(node, t.add(node, inputs_of(t, node), Pointwise{.kind = kind}));
}

void shift(Translator& t, const Node& node) {
  expect_inputs(node, 2);
  const std::string direction = node.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    throw node.error("direction is '" + direction + "', expected LEFT or RIGHT");
  const PointwiseKind kind = direction == "LEFT" ? PointwiseKind::shift_left : PointwiseKind::shift_right;
  t.output(node, t.add(node, inputs_of(t, node), Pointwise{.kind = kind}));
}

void prelu(Translator& t, const Node& node) {
  expect_inputs(node, 2);
  const OpId x = t.op(node, 0);
  const HostValue* slope = t.constant(node, 1);
  if (slope != nullptr && slope->size() == 1 && t.type_of(x) == ElementType::f32)
    return activation(t, node, {ActivationKind::leaky_relu, static_cast<float>(slope->at(0)), 0});
  const OpId result = t.add(node, {x, t.op(node, 1)}, Pointwise{.kind = PointwiseKind::prelu});
  if (t.graph().shape(result) != t.graph().shape(x))
    throw node.error("slopes " + to_string(t.shape(node, 1)) + " do not broadcast to " + to_string(t.graph().shape(x)));
  t.output(node, result);
}

// ---- Clip ---------------------------------------------------------------------------------------------------------

// A bound as an attribute or constant, for f32; `otherwise` where there is none, nothing where it is computed.
std::optional<float> known_bound(Translator& t, const Node& node, const char* name, int input, float otherwise) {
  if (node.opset() < 11) return node.number(name, otherwise);
  if (!node.has_input(input)) return otherwise;
  const HostValue* value = t.constant(node, input);
  if (value == nullptr) return std::nullopt;
  return value->size() == 1 ? static_cast<float>(value->at(0)) : otherwise;
}

void clip(Translator& t, const Node& node) {
  using Limits = std::numeric_limits<float>;
  const OpId x = t.op(node, 0);
  const std::optional<float> least = known_bound(t, node, "min", 1, Limits::lowest());
  const std::optional<float> most = known_bound(t, node, "max", 2, Limits::max());
  if (t.type_of(x) == ElementType::f32 && least && most)
    return activation(t, node, {ActivationKind::clip, *least, *most});
  // Bounds are scalars, which some files write as one element.
  const auto bound = [&](const char* name, int input) -> std::optional<OpId> {
    if (node.opset() >= 11 && node.has_input(input)) return t.reshape(node, t.op(node, input), {});
    if (node.opset() >= 11 || node.attribute(name) == nullptr) return std::nullopt;
    return scalar(t, node, t.type_of(x), static_cast<double>(node.number(name, 0)));
  };
  const std::optional<OpId> low = bound("min", 1);
  const std::optional<OpId> high = bound("max", 2);
  if (low && high) return t.output(node, t.add(node, {x, *low, *high}, Pointwise{.kind = PointwiseKind::clip}));
  if (low) return t.output(node, combine(t, node, x, *low, larger));
  t.output(node, high ? combine(t, node, x, *high, smaller) : x);
}

// ---- Cast ---------------------------------------------------------------------------------------------------------

// The type that the model gives a value: f16 and bf16 are f32 inside the graph.
ElementType declared_type(Translator& t, const Node& node, int input) {
  if (const HostValue* constant = t.constant(node, input)) return constant->type;
  const OpId id = t.op(node, input);
  for (const Port& port : t.graph().inputs)
    if (port.op == id) return port.type;
  const auto* pointwise = as<Pointwise>(t.graph().op(id));
  return pointwise != nullptr && pointwise->kind == PointwiseKind::cast ? pointwise->to : t.type_of(id);
}

void cast_to(Translator& t, const Node& node, ElementType to) {
  const OpId src = t.op(node, 0);
  const ElementType from = t.type_of(src);
  const Shape& shape = t.graph().shape(src);
  if (from == to) return t.output(node, src);
  if (from == ElementType::u8 && to == ElementType::f32 && shape.size() == 4) {
    // A picture: what follows is folded into its normalisation.
    const auto c = static_cast<std::size_t>(shape[1]);
    return t.output(node,
                    t.add(node, {src}, NormalizePicture{std::vector<float>(c, 1.0F), std::vector<float>(c, 0.0F)}));
  }
  t.output(node, t.add(node, {src}, Pointwise{.kind = PointwiseKind::cast, .to = to}));
}

void cast(Translator& t, const Node& node) {
  const std::optional<ElementType> to = element_type(static_cast<int>(node.integer("to", 0)));
  if (!to) throw node.not_in_graph("casts to " + type_name(static_cast<int>(node.integer("to", 0))));
  cast_to(t, node, *to);
}

void cast_like(Translator& t, const Node& node) {
  expect_inputs(node, 2);
  cast_to(t, node, declared_type(t, node, 1));
}

}  // namespace

const std::map<std::string, Translation>& pointwise_translations() {
  using enum ActivationKind;
  using Kind = PointwiseKind;
  static const std::map<std::string, Translation> table = {
      {"Abs", plain<abs>},
      {"Acos", plain<acos>},
      {"Acosh", plain<acosh>},
      {"Add", arithmetic<adding>},
      {"And", plain_pointwise<Kind::logical_and>},
      {"Asin", plain<asin>},
      {"Asinh", plain<asinh>},
      {"Atan", plain<atan>},
      {"Atanh", plain<atanh>},
      {"BitShift", shift},
      {"BitwiseAnd", plain_pointwise<Kind::bit_and>},
      {"BitwiseNot", plain_pointwise<Kind::bit_not>},
      {"BitwiseOr", plain_pointwise<Kind::bit_or>},
      {"BitwiseXor", plain_pointwise<Kind::bit_xor>},
      {"Cast", cast},
      {"CastLike", cast_like},
      {"Ceil", plain<ceil>},
      {"Celu", with_attributes<ActivationKind::celu, onnx_import::celu>},
      {"Clip", onnx_import::clip},
      {"Cos", plain<cos>},
      {"Cosh", plain<cosh>},
      {"Div", arithmetic<dividing>},
      {"Elu", with_attributes<ActivationKind::elu, onnx_import::elu>},
      {"Equal", plain_pointwise<Kind::equal>},
      {"Erf", plain<erf>},
      {"Exp", plain<exp>},
      {"Floor", plain<floor>},
      {"Gelu", onnx_import::gelu},
      {"Greater", plain_pointwise<Kind::greater>},
      {"GreaterOrEqual", plain_pointwise<Kind::greater_or_equal>},
      {"HardSigmoid", with_attributes<ActivationKind::hard_sigmoid, onnx_import::hard_sigmoid>},
      {"HardSwish", plain<hard_swish>},
      {"IsInf", is_inf},
      {"IsNaN", plain_pointwise<Kind::is_nan>},
      {"LeakyRelu", with_attributes<ActivationKind::leaky_relu, onnx_import::leaky_relu>},
      {"Less", plain_pointwise<Kind::less>},
      {"LessOrEqual", plain_pointwise<Kind::less_or_equal>},
      {"Log", plain<log>},
      {"Max", of_many<larger>},
      {"Mean", mean},
      {"Min", of_many<smaller>},
      {"Mish", plain<mish>},
      {"Mod", modulo},
      {"Mul", arithmetic<multiplying>},
      {"Neg", plain<neg>},
      {"Not", plain_pointwise<Kind::logical_not>},
      {"Or", plain_pointwise<Kind::logical_or>},
      {"PRelu", prelu},
      {"Pow", power},
      {"Reciprocal", plain<reciprocal>},
      {"Relu", plain<relu>},
      {"Round", plain<round>},
      {"Selu", with_attributes<ActivationKind::selu, onnx_import::selu>},
      {"Shrink", with_attributes<ActivationKind::shrink, onnx_import::shrink>},
      {"Sigmoid", plain<sigmoid>},
      {"Sign", plain<sign>},
      {"Sin", plain<sin>},
      {"Sinh", plain<sinh>},
      {"Softplus", plain<softplus>},
      {"Softsign", plain<softsign>},
      {"Sqrt", plain<sqrt>},
      {"Sub", arithmetic<subtracting>},
      {"Sum", of_many<adding>},
      {"Swish", with_attributes<ActivationKind::swish, onnx_import::swish>},
      {"Tan", plain<tan>},
      {"Tanh", plain<ActivationKind::tanh>},
      {"ThresholdedRelu", with_attributes<ActivationKind::thresholded_relu, onnx_import::thresholded_relu>},
      {"Where", plain_pointwise<Kind::where>},
      {"Xor", plain_pointwise<Kind::logical_xor>}};
  return table;
}

}  // namespace strake::onnx_import

// SPDX-License-Identifier: Apache-2.0
#include "onnx/zoo_builder.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "onnx/zoo_attributes.hpp"

namespace strake::zoo {

namespace {

constexpr std::int64_t opset = 13;
constexpr std::int64_t ir_version = 7;  // the one that came with opset 13

void declare(onnx::ValueInfoProto& info, const std::string& name, const Shape& shape) {
  info.set_name(name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx::TensorProto::FLOAT);
  for (const Index size : shape) tensor.mutable_shape()->add_dim()->set_dim_value(size);
}

// Rows (or columns) of the output of a window that slides over `src` rows.
Index slid(const std::string& name, Index src, Index window, Index stride, Index padding, Rounding rounding) {
  const Index room = src + padding - window;
  if (src < 1 || room < 0)
    throw TooSmall("layer '" + name + "' needs at least " + std::to_string(window - padding) +
                   " rows and columns, got " + std::to_string(src));
  return (rounding == Rounding::up ? room + stride - 1 : room) / stride + 1;
}

Shape conv_shape(const std::string& name, const Value& src, const ConvShape& shape) {
  ensure(src.c() % shape.groups == 0 && shape.c % shape.groups == 0, "groups divide the channels");
  const Index window = (shape.kernel - 1) * shape.dilation + 1;
  return {1, shape.c, slid(name, src.h(), window, shape.stride, 2 * shape.pad, Rounding::down),
          slid(name, src.w(), window, shape.stride, 2 * shape.pad, Rounding::down)};
}

Shape weight_shape(const Value& src, const ConvShape& shape) {
  return {shape.c, src.c() / shape.groups, shape.kernel, shape.kernel};
}

float deviation_of(float gain, Index fan_in) { return std::sqrt(gain / static_cast<float>(fan_in)); }

constexpr float bias_deviation = 0.05F;

}  // namespace

std::uint64_t Random::next() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

float Random::normal(float deviation) {
  // Four numbers of 16 bits have the mean 4 * 32767.5 and the variance 4 * (2^32 - 1) / 12.
  constexpr float one_deviation = 37837.2F;
  const std::uint64_t bits = next();
  const auto sum =
      static_cast<int>((bits & 0xFFFFU) + (bits >> 16 & 0xFFFFU) + (bits >> 32 & 0xFFFFU) + (bits >> 48)) - 131070;
  return static_cast<float>(sum) * (deviation / one_deviation);
}

float Random::uniform(float low, float high) {
  const float unit = static_cast<float>(next() >> 40) * 0x1p-24F;
  return low + (high - low) * unit;
}

Builder::Builder(const std::string& network, std::uint64_t seed, Fill fill) : random_(seed), fill_(fill) {
  model_.set_ir_version(ir_version);
  model_.set_producer_name("strake");
  auto& import = *model_.add_opset_import();
  import.set_domain("");
  import.set_version(opset);
  model_.mutable_graph()->set_name(network);
}

Value Builder::input(const std::string& name, Shape shape) {
  declare(*model_.mutable_graph()->add_input(), name, shape);
  return {name, std::move(shape)};
}

void Builder::output(const Value& value, const std::string& name) {
  auto& nodes = *model_.mutable_graph()->mutable_node();
  const auto maker =
      std::find_if(nodes.begin(), nodes.end(), [&](const auto& one) { return one.output(0) == value.name; });
  ensure(maker != nodes.end(), "a layer makes each output of a network");
  maker->set_output(0, name);
  declare(*model_.mutable_graph()->add_output(), name, value.shape);
}

onnx::NodeProto& Builder::node(const std::string& type, const std::string& name,
                               const std::vector<std::string>& inputs) {
  auto& node = *model_.mutable_graph()->add_node();
  node.set_op_type(type);
  node.set_name(name);
  for (const std::string& one : inputs) node.add_input(one);
  node.add_output(name);
  return node;
}

Value Builder::unary(const std::string& type, const std::string& name, const Value& src) {
  node(type, name, {src.name});
  return {name, src.shape};
}

Value Builder::binary(const std::string& type, const std::string& name, const Value& a, const Value& b) {
  ensure(a.shape.size() == b.shape.size(), "both operands have as many axes");
  node(type, name, {a.name, b.name});
  Shape shape = a.shape;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) shape[axis] = std::max(shape[axis], b.shape[axis]);
  return {name, shape};
}

onnx::TensorProto& Builder::initializer(const std::string& name, const Shape& shape) {
  auto& tensor = *model_.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const Index size : shape) tensor.add_dims(size);
  return tensor;
}

std::string Builder::random_weight(const std::string& name, const Shape& shape, const std::function<float()>& next) {
  auto& tensor = initializer(name, shape);
  if (fill_ == Fill::shapes_only) return name;
  // Drawn in place: the largest weight has 411 MB.
  std::string& raw = *tensor.mutable_raw_data();
  raw.resize(static_cast<std::size_t>(volume(shape)) * sizeof(float));
  for (std::size_t i = 0; i < raw.size(); i += sizeof(float)) {
    const float value = next();
    std::memcpy(raw.data() + i, &value, sizeof(float));
  }
  return name;
}

std::string Builder::normal_weight(const std::string& name, const Shape& shape, float deviation) {
  return random_weight(name, shape, [&] { return random_.normal(deviation); });
}

std::string Builder::uniform_weight(const std::string& name, Index size, float low, float high) {
  return random_weight(name, {size}, [&] { return random_.uniform(low, high); });
}

std::string Builder::constant(const std::string& name, const Shape& shape, const std::vector<float>& values) {
  ensure(static_cast<Index>(values.size()) == volume(shape), "a constant has as many values as its shape");
  initializer(name, shape).set_raw_data(values.data(), values.size() * sizeof(float));
  return name;
}

onnx::NodeProto& Builder::conv_node(const std::string& name, const Value& src, const ConvShape& shape, bool biased) {
  auto& conv = node("Conv", name, {src.name, name + ".weight"});
  if (biased) conv.add_input(name + ".bias");
  set(conv, "kernel_shape", {shape.kernel, shape.kernel});
  set(conv, "strides", {shape.stride, shape.stride});
  set(conv, "pads", {shape.pad, shape.pad, shape.pad, shape.pad});
  set(conv, "dilations", {shape.dilation, shape.dilation});
  set(conv, "group", shape.groups);
  return conv;
}

Value Builder::conv(const std::string& name, const Value& src, const ConvShape& shape) {
  const Shape weights = weight_shape(src, shape);
  normal_weight(name + ".weight", weights, deviation_of(shape.gain, volume(weights) / shape.c));
  if (shape.bias == Bias::random) normal_weight(name + ".bias", {shape.c}, bias_deviation);
  conv_node(name, src, shape, shape.bias == Bias::random);
  return {name, conv_shape(name, src, shape)};
}

Value Builder::conv(const std::string& name, const Value& src, const ConvShape& shape,
                    const std::vector<float>& weights, const std::vector<float>& biases) {
  constant(name + ".weight", weight_shape(src, shape), weights);
  if (!biases.empty()) constant(name + ".bias", {shape.c}, biases);
  conv_node(name, src, shape, !biases.empty());
  return {name, conv_shape(name, src, shape)};
}

Value Builder::upsampling_conv(const std::string& name, const Value& src, Index c) {
  // Windows do not overlap: each output reads one pixel of every channel.
  normal_weight(name + ".weight", {src.c(), c, 2, 2}, deviation_of(1, src.c()));
  normal_weight(name + ".bias", {c}, bias_deviation);
  auto& conv = node("ConvTranspose", name, {src.name, name + ".weight", name + ".bias"});
  set(conv, "kernel_shape", {2, 2});
  set(conv, "strides", {2, 2});
  return {name, {1, c, 2 * src.h(), 2 * src.w()}};
}

Value Builder::norm(const std::string& name, const Value& src, const NormShape& shape) {
  const Index c = src.c();
  auto& norm =
      node("BatchNormalization", name,
           {src.name, uniform_weight(name + ".weight", c, 0.9F * shape.gamma, 1.1F * shape.gamma),
            uniform_weight(name + ".bias", c, -0.1F, 0.1F), uniform_weight(name + ".running_mean", c, -0.1F, 0.1F),
            uniform_weight(name + ".running_var", c, 0.9F, 1.1F)});
  set(norm, "epsilon", shape.epsilon);
  return {name, src.shape};
}

Value Builder::leaky_relu(const std::string& name, const Value& src, float alpha) {
  set(node("LeakyRelu", name, {src.name}), "alpha", alpha);
  return {name, src.shape};
}

Value Builder::hard_sigmoid(const std::string& name, const Value& src) {
  set(node("HardSigmoid", name, {src.name}), "alpha", 1.0F / 6);
  return {name, src.shape};
}

Value Builder::clip(const std::string& name, const Value& src, float low, float high) {
  node("Clip", name, {src.name, constant(name + ".min", {}, {low}), constant(name + ".max", {}, {high})});
  return {name, src.shape};
}

Value Builder::max_pool(const std::string& name, const Value& src, const PoolShape& shape) {
  const Index pad_end = std::max(shape.pad, shape.pad_end);
  const auto size = [&](Index rows) {
    return slid(name, rows, shape.kernel, shape.stride, shape.pad + pad_end, shape.rounding);
  };
  const Shape dst{1, src.c(), size(src.h()), size(src.w())};
  auto& pool = node("MaxPool", name, {src.name});
  set(pool, "kernel_shape", {shape.kernel, shape.kernel});
  set(pool, "strides", {shape.stride, shape.stride});
  set(pool, "pads", {shape.pad, shape.pad, pad_end, pad_end});
  set(pool, "ceil_mode", Index{shape.rounding == Rounding::up});
  return {name, dst};
}

Value Builder::average_pool(const std::string& name, const Value& src, const WindowSize& kernel,
                            const WindowSize& stride) {
  const Shape dst{1, src.c(), slid(name, src.h(), kernel.h, stride.h, 0, Rounding::down),
                  slid(name, src.w(), kernel.w, stride.w, 0, Rounding::down)};
  auto& pool = node("AveragePool", name, {src.name});
  set(pool, "kernel_shape", {kernel.h, kernel.w});
  set(pool, "strides", {stride.h, stride.w});
  return {name, dst};
}

Value Builder::global_average_pool(const std::string& name, const Value& src) {
  node("GlobalAveragePool", name, {src.name});
  return {name, {1, src.c(), 1, 1}};
}

Value Builder::upsample(const std::string& name, const Value& src) {
  auto& resize = node("Resize", name, {src.name, "", constant(name + ".scales", {4}, {1, 1, 2, 2})});
  set(resize, "mode", "nearest");
  set(resize, "coordinate_transformation_mode", "asymmetric");
  set(resize, "nearest_mode", "floor");
  return {name, {1, src.c(), 2 * src.h(), 2 * src.w()}};
}

Value Builder::flatten(const std::string& name, const Value& src) {
  set(node("Flatten", name, {src.name}), "axis", Index{1});
  return {name, {1, volume(src.shape)}};
}

Value Builder::fully_connected(const std::string& name, const Value& src, Index c, float gain) {
  const std::string weight = normal_weight(name + ".weight", {c, src.c()}, deviation_of(gain, src.c()));
  const std::string bias = normal_weight(name + ".bias", {c}, bias_deviation);
  set(node("Gemm", name, {src.name, weight, bias}), "transB", Index{1});
  return {name, {1, c}};
}

}  // namespace strake::zoo

// SPDX-License-Identifier: Apache-2.0
#include "onnx/zoo_builder.hpp"

#include <unistd.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "core/errors.hpp"

namespace strake::zoo {

namespace {

constexpr int opset = 13;
constexpr int ir_version = 7;

std::string raw_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace

Builder::Builder(const std::string& name, std::uint64_t seed) : name_(name), state_(seed * 0x9E3779B97F4A7C15ULL + 1) {
  model_.set_ir_version(ir_version);
  model_.set_producer_name("strake zoo");
  auto* import = model_.add_opset_import();
  import->set_domain("");
  import->set_version(opset);
  model_.mutable_graph()->set_name(name);
}

// Sum of four uniform numbers, scaled to variance 1: close enough to normal for weights, and the same bits everywhere.
// Source of the generator: S. Vigna, splitmix64, public domain.
float Builder::normal() {
  state_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  z ^= z >> 31;
  float sum = -2.0F;
  for (int i = 0; i < 4; ++i) sum += static_cast<float>((z >> (16 * i)) & 0xFFFF) / 65536.0F;
  return sum * 1.7320508F;
}

std::string Builder::weight(const std::string& name, const std::vector<std::int64_t>& dims, std::string raw) {
  auto* tensor = model_.mutable_graph()->add_initializer();
  tensor->set_name(name);
  for (const std::int64_t size : dims) tensor->add_dims(size);
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  tensor->set_raw_data(std::move(raw));
  return name;
}

std::string Builder::random_weight(const std::string& name, const std::vector<std::int64_t>& dims, float mean,
                                   float deviation) {
  std::size_t n = 1;
  for (const std::int64_t size : dims) n *= static_cast<std::size_t>(size);
  std::string raw(n * sizeof(float), '\0');
  for (std::size_t i = 0; i < n; ++i) {
    const float value = mean + deviation * normal();
    std::memcpy(raw.data() + i * sizeof(float), &value, sizeof(float));
  }
  return weight(name, dims, std::move(raw));
}

void Builder::attribute(const std::string& name, std::int64_t value) {
  auto* one = last().add_attribute();
  one->set_name(name);
  one->set_type(onnx::AttributeProto::INT);
  one->set_i(value);
}

void Builder::attribute(const std::string& name, const std::vector<std::int64_t>& values) {
  auto* one = last().add_attribute();
  one->set_name(name);
  one->set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) one->add_ints(value);
}

void Builder::attribute(const std::string& name, float value) {
  auto* one = last().add_attribute();
  one->set_name(name);
  one->set_type(onnx::AttributeProto::FLOAT);
  one->set_f(value);
}

void Builder::attribute(const std::string& name, const std::string& value) {
  auto* one = last().add_attribute();
  one->set_name(name);
  one->set_type(onnx::AttributeProto::STRING);
  one->set_s(value);
}

std::string Builder::input(const std::string& name, std::int64_t c, std::int64_t h, std::int64_t w) {
  auto* info = model_.mutable_graph()->add_input();
  info->set_name(name);
  auto* type = info->mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t size : {std::int64_t{1}, c, h, w}) type->mutable_shape()->add_dim()->set_dim_value(size);
  maps_[name] = {c, h, w};
  return name;
}

std::string Builder::node(const std::string& type, const std::vector<std::string>& inputs) {
  auto* proto = model_.mutable_graph()->add_node();
  const std::string name = type + "_" + std::to_string(model_.graph().node_size() - 1);
  proto->set_name(name);
  proto->set_op_type(type);
  for (const std::string& one : inputs) proto->add_input(one);
  proto->add_output(name + "_out");
  maps_[name + "_out"] = maps_[inputs.front()];
  return name + "_out";
}

std::string Builder::window_node(const std::string& type, const std::vector<std::string>& inputs, const Layer& layer,
                                 bool ceil_mode) {
  const std::string out = node(type, inputs);
  attribute("kernel_shape", std::vector<std::int64_t>{layer.kernel, layer.kernel});
  attribute("strides", std::vector<std::int64_t>{layer.stride, layer.stride});
  attribute("pads", std::vector<std::int64_t>(4, layer.pad));
  Map& map = maps_[out];
  for (std::int64_t* size : {&map.h, &map.w}) {
    const std::int64_t room = *size + 2 * layer.pad - (layer.kernel - 1) * layer.dilation - 1;
    if (room < 0)
      throw InvalidInput("'" + name_ + "' does not fit so small an input: a window of " + std::to_string(layer.kernel) +
                         " finds a map of " + std::to_string(*size));
    *size = (room + (ceil_mode ? layer.stride - 1 : 0)) / layer.stride + 1;
  }
  return out;
}

std::string Builder::conv_with(const std::string& src, const Layer& layer, const std::vector<float>& weights,
                               const std::vector<float>& bias) {
  const std::string name = "weight_" + std::to_string(model_.graph().node_size());
  std::vector<std::string> inputs{
      src, weight(name, {layer.out, channels(src) / layer.groups, layer.kernel, layer.kernel}, raw_of(weights))};
  if (!bias.empty()) inputs.push_back(weight(name + "_bias", {layer.out}, raw_of(bias)));
  const std::string out = window_node("Conv", inputs, layer, false);
  attribute("group", layer.groups);
  attribute("dilations", std::vector<std::int64_t>{layer.dilation, layer.dilation});
  maps_[out].c = layer.out;
  return out;
}

std::string Builder::conv(const std::string& src, const Layer& layer, bool bias) {
  const std::string name = "weight_" + std::to_string(model_.graph().node_size());
  const std::int64_t in = channels(src) / layer.groups;
  // He: keeps the variance of what a ReLU lets through.
  const float deviation = std::sqrt(2.0F / static_cast<float>(in * layer.kernel * layer.kernel));
  std::vector<std::string> inputs{src, random_weight(name, {layer.out, in, layer.kernel, layer.kernel}, 0, deviation)};
  if (bias) inputs.push_back(random_weight(name + "_bias", {layer.out}, 0, 0.05F));
  const std::string out = window_node("Conv", inputs, layer, false);
  attribute("group", layer.groups);
  attribute("dilations", std::vector<std::int64_t>{layer.dilation, layer.dilation});
  maps_[out].c = layer.out;
  return out;
}

std::string Builder::batch_norm(const std::string& src, float gain) {
  const std::string name = "norm_" + std::to_string(model_.graph().node_size());
  const std::int64_t c = channels(src);
  const std::vector<std::string> inputs{
      src, random_weight(name + "_gamma", {c}, gain, 0.05F * gain), random_weight(name + "_beta", {c}, 0, 0.1F),
      random_weight(name + "_mean", {c}, 0, 0.1F), random_weight(name + "_var", {c}, 1, 0.05F)};
  const std::string out = node("BatchNormalization", inputs);
  attribute("epsilon", 1e-5F);
  return out;
}

std::string Builder::leaky_relu(const std::string& src, float alpha) {
  const std::string out = node("LeakyRelu", {src});
  attribute("alpha", alpha);
  return out;
}

std::string Builder::constant(const std::string& name, const std::vector<std::int64_t>& dims,
                              const std::vector<float>& values) {
  return weight(name, dims, raw_of(values));
}

std::string Builder::clip(const std::string& src, float low, float high) {
  const std::string name = "clip_" + std::to_string(model_.graph().node_size());
  return node("Clip", {src, constant(name + "_low", {}, {low}), constant(name + "_high", {}, {high})});
}

std::string Builder::max_pool(const std::string& src, std::int64_t kernel, std::int64_t stride, std::int64_t pad,
                              bool ceil_mode) {
  const Layer layer{.out = 0, .kernel = kernel, .stride = stride, .pad = pad, .groups = 1, .dilation = 1};
  const std::string out = window_node("MaxPool", {src}, layer, ceil_mode);
  attribute("ceil_mode", std::int64_t{ceil_mode ? 1 : 0});
  return out;
}

std::string Builder::average_pool(const std::string& src, std::int64_t kernel, std::int64_t stride) {
  const Layer layer{.out = 0, .kernel = kernel, .stride = stride, .pad = 0, .groups = 1, .dilation = 1};
  return window_node("AveragePool", {src}, layer, false);
}

std::string Builder::concat(const std::vector<std::string>& parts) {
  const std::string out = node("Concat", parts);
  attribute("axis", std::int64_t{1});
  maps_[out].c = 0;
  for (const std::string& part : parts) maps_[out].c += channels(part);
  return out;
}

std::string Builder::flatten(const std::string& src) {
  const std::string out = node("Flatten", {src});
  attribute("axis", std::int64_t{1});
  return out;
}

std::string Builder::gemm(const std::string& src, std::int64_t in, std::int64_t out_features) {
  const std::string name = "weight_" + std::to_string(model_.graph().node_size());
  const float deviation = std::sqrt(2.0F / static_cast<float>(in));
  const std::string out = node("Gemm", {src, random_weight(name, {out_features, in}, 0, deviation),
                                        random_weight(name + "_bias", {out_features}, 0, 0.05F)});
  attribute("transB", std::int64_t{1});
  return out;
}

std::string Builder::upsample(const std::string& src) {
  const std::string name = "scales_" + std::to_string(model_.graph().node_size());
  const std::string out = node("Resize", {src, "", constant(name, {4}, {1, 1, 2, 2})});
  attribute("mode", std::string("nearest"));
  attribute("coordinate_transformation_mode", std::string("asymmetric"));
  attribute("nearest_mode", std::string("floor"));
  maps_[out].h *= 2;
  maps_[out].w *= 2;
  return out;
}

std::string Builder::conv_transpose(const std::string& src, std::int64_t out_channels) {
  const std::string name = "weight_" + std::to_string(model_.graph().node_size());
  const std::int64_t in = channels(src);
  const float deviation = std::sqrt(1.0F / static_cast<float>(in));
  const std::string out = node("ConvTranspose", {src, random_weight(name, {in, out_channels, 2, 2}, 0, deviation),
                                                 random_weight(name + "_bias", {out_channels}, 0, 0.05F)});
  attribute("kernel_shape", std::vector<std::int64_t>{2, 2});
  attribute("strides", std::vector<std::int64_t>{2, 2});
  maps_[out] = {out_channels, maps_[src].h * 2, maps_[src].w * 2};
  return out;
}

void Builder::output(const std::string& value, const std::string& name) {
  // The node that makes the value writes it under the name that users see.
  for (auto& proto : *model_.mutable_graph()->mutable_node()) {
    for (auto& out : *proto.mutable_output())
      if (out == value) out = name;
    for (auto& in : *proto.mutable_input())
      if (in == value) in = name;
  }
  auto* info = model_.mutable_graph()->add_output();
  info->set_name(name);
  info->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
}

void Builder::write(const std::filesystem::path& file) const {
  const std::filesystem::path partial = file.string() + "." + std::to_string(getpid()) + ".partial";
  std::ofstream stream(partial, std::ios::binary);
  const bool written = model_.SerializeToOstream(&stream);
  stream.close();
  std::error_code error;
  if (written && stream) std::filesystem::rename(partial, file, error);
  if (!written || !stream || error) {
    std::error_code ignored;
    std::filesystem::remove(partial, ignored);
    throw InvalidInput("cannot write '" + file.string() + "'");
  }
}

}  // namespace strake::zoo

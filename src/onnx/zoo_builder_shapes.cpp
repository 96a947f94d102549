// SPDX-License-Identifier: Apache-2.0
// The builder's layers that move values about, and those of newer networks.

#include <algorithm>

#include "onnx/zoo_attributes.hpp"
#include "onnx/zoo_builder.hpp"

namespace strake::zoo {

std::string Builder::constant(const std::string& name, const std::vector<Index>& values) {
  auto& tensor = initializer(name, {static_cast<Index>(values.size())});
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.set_raw_data(values.data(), values.size() * sizeof(Index));
  return name;
}

Value Builder::softmax(const std::string& name, const Value& src, Index axis) {
  set(node("Softmax", name, {src.name}), "axis", axis);
  return {name, src.shape};
}

Value Builder::instance_norm(const std::string& name, const Value& src, const NormShape& shape) {
  const Index c = src.c();
  auto& norm = node("InstanceNormalization", name,
                    {src.name, uniform_weight(name + ".weight", c, 0.9F * shape.gamma, 1.1F * shape.gamma),
                     uniform_weight(name + ".bias", c, -0.1F, 0.1F)});
  set(norm, "epsilon", shape.epsilon);
  return {name, src.shape};
}

Value Builder::concat(const std::string& name, const std::vector<Value>& parts, std::size_t axis) {
  auto& concat = node("Concat", name, {});
  set(concat, "axis", static_cast<Index>(axis));
  Shape shape = parts.front().shape;
  shape[axis] = 0;
  for (const Value& part : parts) {
    concat.add_input(part.name);
    shape[axis] += part.shape[axis];
  }
  return {name, shape};
}

std::vector<Value> Builder::split(const std::string& name, const Value& src, const std::vector<Index>& sizes,
                                  std::size_t axis) {
  auto& split = node("Split", name, {src.name, constant(name + ".sizes", sizes)});
  set(split, "axis", static_cast<Index>(axis));
  split.clear_output();
  std::vector<Value> parts;
  for (const Index size : sizes) {
    parts.push_back({name + "." + std::to_string(parts.size()), src.shape});
    parts.back().shape[axis] = size;
    split.add_output(parts.back().name);
  }
  return parts;
}

Value Builder::reshape(const std::string& name, const Value& src, const Shape& shape) {
  ensure(volume(shape) == volume(src.shape), "a reshape keeps the number of elements");
  node("Reshape", name, {src.name, constant(name + ".shape", shape)});
  return {name, shape};
}

Value Builder::transpose(const std::string& name, const Value& src, const std::vector<Index>& axes) {
  set(node("Transpose", name, {src.name}), "perm", axes);
  Shape shape;
  for (const Index axis : axes) shape.push_back(src.shape[static_cast<std::size_t>(axis)]);
  return {name, shape};
}

Value Builder::mean_of_map(const std::string& name, const Value& src) {
  auto& mean = node("ReduceMean", name, {src.name});
  set(mean, "axes", std::vector<Index>{2, 3});
  set(mean, "keepdims", Index{0});
  return {name, {src.shape[0], src.c()}};
}

Value Builder::reflect(const std::string& name, const Value& src, Index pad) {
  if (std::min(src.h(), src.w()) <= pad)
    throw TooSmall("layer '" + name + "' mirrors " + std::to_string(pad) + " rows and columns of " +
                   std::to_string(std::min(src.h(), src.w())));
  set(node("Pad", name, {src.name, constant(name + ".pads", {0, 0, pad, pad, 0, 0, pad, pad})}), "mode", "reflect");
  return {name, {src.shape[0], src.c(), src.h() + 2 * pad, src.w() + 2 * pad}};
}

Value Builder::resize(const std::string& name, const Value& src, Index h, Index w) {
  const Shape shape{src.shape[0], src.c(), h, w};
  auto& resize = node("Resize", name, {src.name, "", "", constant(name + ".sizes", shape)});
  set(resize, "mode", "linear");
  set(resize, "coordinate_transformation_mode", "half_pixel");
  return {name, shape};
}

}  // namespace strake::zoo

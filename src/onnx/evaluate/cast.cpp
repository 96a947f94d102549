// SPDX-License-Identifier: Apache-2.0
// Other types for the same numbers.

#include <algorithm>
#include <cmath>

#include "onnx/evaluate/loops.hpp"
#include "onnx/model_file.hpp"

namespace strake::onnx_import {

namespace {

HostTensor cast_to(const Call& call, ElementType type) {
  call.work(static_cast<double>(call.input(0).size()));
  return converted(call.input(0), type);
}

Tensors cast(const Call& call) {
  const auto to = static_cast<int>(std::clamp<std::int64_t>(call.node().integer("to", 0), 0, 1000));
  const std::optional<ElementType> type = element_type(to);
  if (!type) throw call.error("casting to " + type_name(to) + " is not supported");
  return {cast_to(call, *type)};
}

Tensors cast_like(const Call& call) { return {cast_to(call, call.input(1).type)}; }

// ---- quantised numbers --------------------------------------------------------------------------------------------

// One scale for all, or one for each slice along an axis: the strides with which it broadcasts.
std::vector<Index> scale_strides(const Call& call, const Shape& shape, const HostTensor& scale) {
  std::vector<Index> strides(shape.size(), 0);
  if (scale.size() == 1) return strides;
  const std::size_t axis = call.axis(1, shape.size());
  if (scale.shape.size() != 1 || scale.shape[0] != shape[axis])
    throw call.error("a scale of shape " + to_string(scale.shape) + " for an input of shape " + to_string(shape));
  strides[axis] = 1;
  return strides;
}

// Zero points as int64, one for each scale.
HostTensor zero_points(const Call& call, const HostTensor& scale, ElementType type) {
  if (!call.has(2))
    return converted(HostTensor::of(scale.shape, std::vector<float>(scale.view<float>().size())), ElementType::i64);
  call.expect_type(2, type);
  if (call.input(2).size() != scale.size()) throw call.error("as many zero points as scales are expected");
  return converted(call.input(2), ElementType::i64);
}

Tensors quantize_linear(const Call& call) {
  ElementType type = call.has(2) ? call.input(2).type : ElementType::u8;
  if (!call.has(2) && call.node().integer("output_dtype", 0) != 0)
    type = element_type(static_cast<int>(std::clamp<std::int64_t>(call.node().integer("output_dtype", 0), 0, 1000)))
               .value_or(ElementType::f32);
  if (is_float(type) || type == ElementType::boolean) throw call.error("quantises to a type that is not supported");
  const HostTensor x = converted(call.input(0), ElementType::f32);
  const HostTensor scale = converted(call.input(1), ElementType::f32);
  const HostTensor zero = zero_points(call, scale, type);
  const std::vector<Index> strides = scale_strides(call, x.shape, scale);
  HostTensor y = call.make(type, x.shape);
  with_number(type, [&]<class T>(std::type_identity<T>) {
    T* to = y.view<T>().data();
    for_each_cell<2>(x.shape, {row_major_strides(x.shape), strides}, [&](Index i, Index j) {
      const auto at = static_cast<std::size_t>(i);
      const auto by = static_cast<std::size_t>(j);
      const float rounded = std::nearbyint(x.view<float>()[at] / scale.view<float>()[by]);
      *to++ = number_cast<T>(static_cast<double>(rounded) + static_cast<double>(zero.view<std::int64_t>()[by]));
    });
  });
  return {y};
}

Tensors dequantize_linear(const Call& call) {
  const HostTensor& x = call.input(0);
  if (is_float(x.type) || x.type == ElementType::boolean) throw call.wrong_type(0);
  const HostTensor scale = converted(call.input(1), ElementType::f32);
  const HostTensor zero = zero_points(call, scale, x.type);
  const std::vector<Index> strides = scale_strides(call, x.shape, scale);
  HostTensor y = call.make(ElementType::f32, x.shape);
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    float* to = y.view<float>().data();
    for_each_cell<2>(x.shape, {row_major_strides(x.shape), strides}, [&](Index i, Index j) {
      const auto at = static_cast<std::size_t>(i);
      const auto by = static_cast<std::size_t>(j);
      const auto number = static_cast<double>(x.view<T>()[at]) - static_cast<double>(zero.view<std::int64_t>()[by]);
      *to++ = static_cast<float>(number) * scale.view<float>()[by];
    });
  });
  return {converted(y, call.input(1).type)};
}

Tensors dynamic_quantize_linear(const Call& call) {
  call.expect_type(0, ElementType::f32);
  const HostTensor& x = call.input(0);
  float low = 0;
  float high = 0;
  for (const float value : x.view<float>()) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  const float scale = (high - low) / 255;
  const float rounded = scale == 0 ? 0 : std::nearbyint(std::clamp(-low / scale, 0.0F, 255.0F));
  const auto zero = number_cast<std::uint8_t>(rounded);
  HostTensor y = call.make(ElementType::u8, x.shape);
  std::transform(x.view<float>().begin(), x.view<float>().end(), y.view<std::uint8_t>().begin(), [&](float value) {
    return number_cast<std::uint8_t>((scale == 0 ? 0 : std::nearbyint(value / scale)) + static_cast<float>(zero));
  });
  return {y, HostTensor::of<float>({}, {scale}), HostTensor::of<std::uint8_t>({}, {zero})};
}

}  // namespace

const Evaluations& cast_evaluations() {
  static const Evaluations table = {{"Cast", cast},
                                    {"CastLike", cast_like},
                                    {"DequantizeLinear", dequantize_linear},
                                    {"DynamicQuantizeLinear", dynamic_quantize_linear},
                                    {"QuantizeLinear", quantize_linear}};
  return table;
}

}  // namespace strake::onnx_import

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Random convolutions of 8-bit integers: every type, zero points, scales, residuals and bounds.

#include "kernels/random_conv.hpp"

namespace strake::kernels::test {

struct RandomIntegerConv {
  Graph graph;
  OpId op = 0;
  std::vector<HostTensor> inputs;
  std::string text;  // for messages
};

inline HostTensor random_tensor(Random& random, ElementType type, const Shape& shape, Index low, Index high) {
  Values values(static_cast<std::size_t>(volume(shape)));
  for (float& value : values) value = static_cast<float>(pick(random, low, high));
  return tensor_of(type, shape, values);
}

inline HostTensor random_bytes(Random& random, ElementType type, const Shape& shape) {
  const ByteRange range = range_of(type);
  return random_tensor(random, type, shape, static_cast<Index>(range.low), static_cast<Index>(range.high));
}

inline WeightId add_weight(Graph& graph, const HostTensor& tensor) {
  return graph.add_weight("weight" + std::to_string(graph.weights.size()), tensor.shape, tensor.data, tensor.type);
}

inline ElementType random_byte_type(Random& random) {
  return pick(random, 0, 1) == 0 ? ElementType::u8 : ElementType::i8;
}

/// What becomes of the sums of a convolution with `taps` products for each.
inline void add_random_scales(Random& random, Graph& graph, Index m, Index taps, IntegerConv& conv) {
  conv.to = pick(random, 0, 2) == 0 ? ElementType::f32 : random_byte_type(random);
  const float scale = 1.0F / (40.0F * std::sqrt(static_cast<float>(taps)));
  conv.scale = graph.add_weight("scale", {m}, Blob::copy_of(random_values(random, {m}, scale / 4, scale)));
  if (pick(random, 0, 1) == 0)
    conv.shift = graph.add_weight("shift", {m}, Blob::copy_of(random_values(random, {m}, -9, 9)));
  if (conv.to == ElementType::f32) {
    if (pick(random, 0, 1) == 0) conv.low = 0;
    return;
  }
  const ByteRange range = range_of(conv.to);
  conv.zero = static_cast<float>(pick(random, static_cast<Index>(range.low), static_cast<Index>(range.high)));
  conv.low = pick(random, 0, 1) == 0 ? range.low : conv.zero;
  conv.high = range.high;
}

inline RandomIntegerConv random_integer_conv(Random& random, Index most_channels = 40) {
  const RandomConv like = random_conv(random, most_channels);
  const Conv& shape_of = *as<Conv>(like.graph.op(like.op));
  RandomIntegerConv drawn;
  drawn.text = like.text;
  const Shape src = like.graph.shape(like.graph.inputs.front().op);
  const Shape weights = like.graph.weight(shape_of.weights).shape;
  const ElementType x_type = random_byte_type(random);
  const ElementType w_type = random_byte_type(random);
  std::vector<OpId> sources = {add_input(drawn.graph, src, x_type), add_input(drawn.graph, {}, x_type)};
  drawn.inputs = {random_bytes(random, x_type, src), random_bytes(random, x_type, {})};
  IntegerConv conv;
  conv.window = shape_of.window;
  conv.groups = shape_of.groups;
  conv.weights = add_weight(drawn.graph, random_bytes(random, w_type, weights));
  if (const Index style = pick(random, 0, 3); style < 2)
    conv.weight_zeros = add_weight(drawn.graph, random_bytes(random, w_type, {style == 0 ? 1 : weights[0]}));
  if (pick(random, 0, 1) == 0)
    conv.bias = add_weight(drawn.graph, random_tensor(random, ElementType::i32, {weights[0]}, -9999, 9999));
  if (pick(random, 0, 3) != 0) {
    add_random_scales(random, drawn.graph, weights[0], volume(weights) / weights[0], conv);
    if (pick(random, 0, 2) == 0) {
      const Shape dst = like.graph.shape(like.op);
      const ElementType type = random_byte_type(random);
      sources.push_back(add_input(drawn.graph, dst, type));
      drawn.inputs.push_back(random_bytes(random, type, dst));
      const bool was_quantised = pick(random, 0, 1) == 0;
      conv.residuals.push_back({.zero = static_cast<float>(pick(random, -20, 20)),
                                .scale = 0.37F,
                                .step = was_quantised ? 0.8F : 0.0F,
                                .low = -100,
                                .high = 155});
    }
  }
  drawn.op = add_op(drawn.graph, sources, conv);
  return drawn;
}

}  // namespace strake::kernels::test

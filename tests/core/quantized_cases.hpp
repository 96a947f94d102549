// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Quantised networks as exporters write them: floats between pairs of QuantizeLinear and DequantizeLinear.

#include "core/host_tensor.hpp"
#include "core/rewrite_cases.hpp"

namespace strake::test {

/// A scale and a zero point for all cells.
struct Levels {
  float scale = 0.05F;
  float zero = 128;
  ElementType type = ElementType::u8;
};

class QuantizedBuilder : public Builder {
 public:
  OpId quantize(OpId x, Levels levels = {}) { return convert(PointwiseKind::quantize, x, levels); }
  OpId dequantize(OpId x, Levels levels = {}) { return convert(PointwiseKind::dequantize, x, levels); }
  OpId through_bytes(OpId x, Levels levels = {}) { return dequantize(quantize(x, levels), levels); }

  OpId bytes(Shape shape, ElementType type = ElementType::u8) {
    const OpId id = graph.add({.name = "op" + std::to_string(graph.size()),
                               .inputs = {},
                               .shape = shape,
                               .type = type,
                               .attributes = Input{}});
    graph.inputs.push_back({.op = id, .name = "in" + std::to_string(id), .type = type});
    return id;
  }

  /// Weights between `least` and `most` times a step of each channel, as a folded DequantizeLinear leaves them.
  WeightId levels_of(const Shape& shape, Index least = -127, Index most = 127) {
    std::vector<float> values;
    const Index per_channel = volume(shape) / shape[0];
    for (Index i = 0; i < volume(shape); ++i) {
      const float step = 0.6F / (static_cast<float>(per_channel) + static_cast<float>(i / per_channel % 7));
      values.push_back(static_cast<float>(std::uniform_int_distribution<Index>(least, most)(numbers_)) * step / 20);
    }
    return weight(shape, values);
  }

  OpId quantized_conv(OpId src, Index channels, WindowAxis axis = {}, Index groups = 1) {
    const WeightId weights = levels_of({channels, graph.shape(src)[1] / groups, axis.kernel, axis.kernel});
    const WeightId bias = weight({channels});
    return add({src}, Conv{.window = {axis, axis}, .groups = groups, .weights = weights, .bias = bias, .post_ops = {}});
  }

 private:
  OpId typed_scalar(float value, ElementType type) {
    const HostTensor one = converted(HostTensor::of<float>({}, {value}), type);
    return add({}, Constant{graph.add_weight("zero" + std::to_string(graph.weights.size()), {}, one.data, type)});
  }
  OpId convert(PointwiseKind kind, OpId x, Levels levels) {
    const OpId scale = scalar(levels.scale);
    const OpId zero = typed_scalar(levels.zero, levels.type);
    return add({x, scale, zero}, Pointwise{.kind = kind});
  }

  std::mt19937 numbers_{20261121};
};

constexpr WindowAxis around3 = {.kernel = 3, .pad_begin = 1, .pad_end = 1};

/// conv and relu - depthwise conv - conv, added to the first - relu - pool - fully connected
inline Graph quantized_net() {
  QuantizedBuilder b;
  const Levels positive{.scale = 0.03F, .zero = 0};
  const Levels signed_levels{.scale = 0.02F, .zero = -3, .type = ElementType::i8};
  const OpId input = b.through_bytes(b.input({1, 3, 13, 12}));
  const OpId first = b.through_bytes(b.relu(b.quantized_conv(input, 12, around3)), positive);
  const OpId depthwise = b.through_bytes(b.quantized_conv(first, 12, around3, 12), signed_levels);
  const OpId pointwise = b.through_bytes(b.quantized_conv(depthwise, 12));
  const OpId sum = b.through_bytes(b.relu(b.sum(pointwise, first)), positive);
  const Pool half{PoolKind::max, {{.kernel = 2, .stride = 2}, {.kernel = 2, .stride = 2}}, AverageOver::input_cells};
  const OpId pooled = b.through_bytes(b.add({sum}, half), positive);
  const OpId flat = b.reshape(pooled, {1, 12 * 6 * 6, 1, 1});
  const OpId logits = b.reshape(b.quantized_conv(flat, 10), {1, 10});
  b.output(b.through_bytes(logits, {.scale = 0.01F}));
  return b.graph;
}

}  // namespace strake::test

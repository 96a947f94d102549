// SPDX-License-Identifier: Apache-2.0
#include "core/rewrite/quantized.hpp"

#include <algorithm>
#include <cmath>

#include "core/host_tensor.hpp"

namespace strake::rewrite {

namespace {

std::optional<float> number_of(const Graph& graph, OpId id) {
  const auto* constant = as<Constant>(graph.op(id));
  if (constant == nullptr || volume(graph.shape(id)) != 1) return std::nullopt;
  const Weight& weight = graph.weight(constant->value);
  return static_cast<float>(number_at({weight.type, weight.shape, weight.values}, 0));
}

std::optional<Quantized> quantized_by(const Graph& graph, OpId id, PointwiseKind kind, ElementType type) {
  const Op& op = graph.op(id);
  const auto* pointwise = as<Pointwise>(op);
  if (pointwise == nullptr || pointwise->kind != kind || !is_byte(type)) return std::nullopt;
  const std::optional<float> scale = number_of(graph, op.inputs[1]);
  const std::optional<float> zero = number_of(graph, op.inputs[2]);
  if (!scale || !zero || !std::isnormal(*scale) || *scale < 0 || graph.shape(op.inputs[0]) != op.shape)
    return std::nullopt;
  return Quantized{.x = op.inputs[0],
                   .scale_op = op.inputs[1],
                   .zero_op = op.inputs[2],
                   .scale = *scale,
                   .zero = *zero,
                   .type = type};
}

/// One output channel: the step and the range of its whole numbers.
struct Channel {
  float step = 1;
  int least = 0;
  int most = 0;
};

constexpr int most_levels = 255;

// Twice a rounding of a number with 8 bits before the point.
constexpr float rounding = 1e-4F;

// The channel if its values are whole multiples of `step`.
std::optional<Channel> in_steps(std::span<const float> values, float step) {
  Channel channel{.step = step};
  for (const float value : values) {
    const float number = std::nearbyint(value / step);
    if (!(std::abs(value / step - number) < rounding)) return std::nullopt;
    channel.least = std::min(channel.least, static_cast<int>(number));
    channel.most = std::max(channel.most, static_cast<int>(number));
  }
  if (channel.most - channel.least > most_levels) return std::nullopt;
  return channel;
}

// The largest step will do: it is the one that the values were made with, or a multiple of it.
std::optional<Channel> channel_of(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  if (largest == 0) return Channel{};
  for (int levels = 1; levels <= most_levels; ++levels) {
    const float step = largest / static_cast<float>(levels);
    if (!std::isnormal(step)) return std::nullopt;
    if (const std::optional<Channel> found = in_steps(values, step)) return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Quantized> dequantized(const Graph& graph, OpId id) {
  const Op& op = graph.op(id);
  const ElementType type = op.inputs.empty() ? op.type : graph.op(op.inputs.front()).type;
  return quantized_by(graph, id, PointwiseKind::dequantize, type);
}

std::optional<Quantized> quantized(const Graph& graph, OpId id) {
  return quantized_by(graph, id, PointwiseKind::quantize, graph.op(id).type);
}

std::optional<ByteWeights> byte_weights(std::span<const float> weights, std::size_t channels) {
  const std::size_t n = weights.size() / channels;
  std::vector<Channel> found;
  for (std::size_t m = 0; m < channels; ++m) {
    const std::optional<Channel> channel = channel_of(weights.subspan(m * n, n));
    if (!channel) return std::nullopt;
    found.push_back(*channel);
  }
  const bool fit =
      std::ranges::all_of(found, [](const Channel& channel) { return channel.least >= -128 && channel.most <= 127; });
  ByteWeights bytes;
  bytes.type = fit ? ElementType::i8 : ElementType::u8;
  for (std::size_t m = 0; m < channels; ++m) {
    const int zero = fit ? 0 : -found[m].least;
    if (!fit) bytes.zeros.push_back(static_cast<std::uint8_t>(zero));
    bytes.steps.push_back(found[m].step);
    for (const float value : weights.subspan(m * n, n))
      bytes.values.push_back(static_cast<std::int8_t>(static_cast<int>(std::nearbyint(value / found[m].step)) + zero));
  }
  return bytes;
}

}  // namespace strake::rewrite

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What rewrites of quantised networks look for.

#include <optional>
#include <span>
#include <vector>

#include "core/graph.hpp"

namespace strake::rewrite {

/// Bytes and the constants with which they stand for floats: (x - zero) * scale.
struct Quantized {
  OpId x = 0;  // what is quantised or dequantised
  OpId scale_op = 0;
  OpId zero_op = 0;
  float scale = 1;
  float zero = 0;
  ElementType type = ElementType::u8;  // u8 or i8
};

/// The operator as a dequantisation with one scale and one zero point for all cells.
[[nodiscard]] std::optional<Quantized> dequantized(const Graph& graph, OpId id);

/// The same for a quantisation.
[[nodiscard]] std::optional<Quantized> quantized(const Graph& graph, OpId id);

/// Weights as whole numbers of a step for each output channel: at most 8 bits wide, with zero points if not i8.
struct ByteWeights {
  ElementType type = ElementType::i8;
  std::vector<std::int8_t> values;  // the bits of `type`
  std::vector<std::uint8_t> zeros;  // [channel]; empty for i8
  std::vector<float> steps;         // [channel]
};

/// Finds the whole numbers that dequantised weights, `channels` times as many, were made of. Folding scales into them
/// only changes the steps. Nothing where the floats are no multiples of a step.
[[nodiscard]] std::optional<ByteWeights> byte_weights(std::span<const float> weights, std::size_t channels);

}  // namespace strake::rewrite

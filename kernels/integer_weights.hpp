// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Weights of integer convolutions in the order in which kernels read them.

#include <memory>
#include <vector>

#include "kernels/conv_geometry.hpp"
#include "kernels/integer_dot.hpp"

namespace strake::kernels {

/// Output channels that are computed together: one or two lanes, of one group.
struct ChannelBlock {
  Index first = 0;  // channel of the box
  Index n = 0;
  Index group = 0;         // of those that the box reads
  std::size_t offset = 0;  // of its weights, in bytes

  [[nodiscard]] Index lanes() const { return (n + dot_lane - 1) / dot_lane; }
};

/// The weights of a box's channels less their zero points, and what their sums are.
struct IntegerWeights {
  std::vector<ChannelBlock> blocks;
  std::shared_ptr<Blob> packed;    // [block][tap][step][lane][16][channels of a step], zeros in the gaps
  std::vector<std::int32_t> sums;  // [channel] of all weights of one, in whole lanes and a lane more
};

/// Whether weights without their zero points fit i8.
[[nodiscard]] bool fit_bytes(const MakeContext& context);

[[nodiscard]] IntegerWeights pack(const MakeContext& context, const ConvGeometry& g, const Dot& dot);

/// One channel for each group: [tap][channel] as i32, in whole lanes.
[[nodiscard]] IntegerWeights pack_channels(const MakeContext& context, const ConvGeometry& g);

/// The values of a weight for the box's channels, in whole lanes and a lane more; zeros without one.
template <class T>
std::vector<T> of_channels(const MakeContext& context, WeightId id, Interval channels);

extern template std::vector<float> of_channels(const MakeContext&, WeightId, Interval);
extern template std::vector<std::int32_t> of_channels(const MakeContext&, WeightId, Interval);

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Weights of depthwise convolutions as our own kernels read them.

#include "kernels/conv_geometry.hpp"
#include "kernels/lane.hpp"

namespace strake::kernels {

/// Floats from tap to tap of the packed weights: a whole lane can be read at every channel.
[[nodiscard]] inline Index depthwise_step(const ConvGeometry& g) { return whole_lanes(g.oc) + lane_floats; }

/// (kernel row, kernel column, `depthwise_step`) from (channels, 1, rows, columns); shared by all that ask.
[[nodiscard]] std::shared_ptr<Blob> depthwise_weights(const MakeContext& context, const ConvGeometry& g);

}  // namespace strake::kernels

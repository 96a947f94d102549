// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A small picture of a frame, for people.

#include <cstdint>
#include <vector>

#include "core/host_tensor.hpp"

namespace strake::cluster {

struct Preview {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgba;  // rows of pixels; empty where there is no picture
};

/// The first of `inputs` that is a map of one or three channels (NCHW, f32 or u8), its values stretched to 0..255.
/// @param longest  pixels of the longer side; larger maps are sampled
[[nodiscard]] Preview preview_of(const TensorMap& inputs, int longest = 320);

}  // namespace strake::cluster

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Exact sums of products of small integers: what integer convolutions are made of.
///
/// A *step* is four bytes of a pixel: four channels of u8 where the processor multiplies bytes without saturating
/// (VNNI), else one channel as a float, in which products of 9-bit integers add up exactly as long as there are few.
/// Against each step stand 64 bytes of weights for a lane of 16 output channels.

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/box.hpp"
#include "core/element_type.hpp"

namespace strake::kernels {

inline constexpr Index dot_lane = 16;  // output channels
inline constexpr Index step_bytes = 4;

/// Sums of some pixels and one or two lanes: over all taps and steps, sums[p][m] = x[tap][p][step] * w[tap][step][m].
struct DotBlock {
  const std::byte* const* places;  // [tap][pixel]: where the steps lie; `place_step` pointers from tap to tap
  Index place_step;
  const std::byte* weights;  // [tap][step][lane]
  Index n_taps;
  Index n_steps;       // of a tap
  Index n_pixels;      // at most `most_pixels`
  Index n_lanes;       // 1 or 2
  std::int32_t* sums;  // [pixel][lane * 16], written
};

/// How this processor multiplies.
struct Dot {
  Index channels_per_step;  // 4 of u8 or 1 of float
  Index most_pixels;        // that registers hold the sums of
  void (*multiply)(const DotBlock&);
  std::string name;
};

/// The fastest one that is exact here. Without VNNI, x64 adds pairs of products of bytes in 16 bits, which saturate.
/// @param bytes  whether weights fit i8; floats hold those of 9 bits too
[[nodiscard]] Dot fastest_dot(bool bytes);

/// One channel for each group, of one pixel: over all taps, sums[m] = x[tap][m] * w[tap][m] for `n` channels of u8 or
/// i8. Weights and sums are of whole lanes.
struct ChannelDot {
  const std::byte* const* places;  // [tap], as in DotBlock
  Index place_step;
  const std::int32_t* weights;  // [tap][channel]
  Index n_taps;
  Index n;
  std::int32_t* sums;
};
using MultiplyChannels = void (*)(const ChannelDot&);
/// For channels of u8 or i8.
[[nodiscard]] MultiplyChannels fastest_channels(ElementType type);

}  // namespace strake::kernels

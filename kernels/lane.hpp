// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Sixteen floats at once: one AVX-512 register, two of AVX, four of SSE or NEON. The compiler splits them as the
/// instruction set of the function at hand needs.

#include <cstring>

#include "core/box.hpp"

namespace strake::kernels {

inline constexpr Index lane_floats = 16;

// Values may alias nothing: an array of lanes that may alias stays in memory, and sums lose their registers.
typedef float Lane __attribute__((vector_size(lane_floats * sizeof(float))));
typedef float UnalignedLane __attribute__((vector_size(lane_floats * sizeof(float)), may_alias, aligned(4)));

/// Functions on lanes are always inlined: how a lane is passed depends on the instruction set.
#define STRAKE_LANE_FUNCTION [[gnu::always_inline]] inline

STRAKE_LANE_FUNCTION void load(const float* from, Lane& lane) { lane = *reinterpret_cast<const UnalignedLane*>(from); }

/// The first `n` floats; the others become zero.
STRAKE_LANE_FUNCTION void load(const float* from, Index n, Lane& lane) {
  lane = Lane{};
  std::memcpy(&lane, from, static_cast<std::size_t>(n) * sizeof(float));
}

STRAKE_LANE_FUNCTION void store(const Lane& lane, float* to) { *reinterpret_cast<UnalignedLane*>(to) = lane; }

STRAKE_LANE_FUNCTION void store(const Lane& lane, Index n, float* to) {
  std::memcpy(to, &lane, static_cast<std::size_t>(n) * sizeof(float));
}

[[nodiscard]] inline Index whole_lanes(Index n) { return (n + lane_floats - 1) / lane_floats * lane_floats; }

}  // namespace strake::kernels

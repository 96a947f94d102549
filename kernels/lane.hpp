// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Sixteen floats at once: one AVX-512 register, two of AVX, four of SSE or NEON. The compiler splits them as the
/// instruction set of the function at hand needs.

#include <cstring>

#include "core/box.hpp"

namespace strake::kernels {

inline constexpr Index lane_floats = 16;

/// Functions on lanes are always inlined: how a lane is passed depends on the instruction set.
#define STRAKE_LANE_FUNCTION [[gnu::always_inline]] inline
#define STRAKE_LANE_LAMBDA __attribute__((always_inline))

#if defined(__aarch64__)

// GCC leaves vectors that are wider than a register in memory, so here a lane is its registers.
typedef float LaneRegister __attribute__((vector_size(16)));
typedef float UnalignedLaneRegister __attribute__((vector_size(16), may_alias, aligned(4)));

struct Lane {
  LaneRegister r0, r1, r2, r3;
};

STRAKE_LANE_FUNCTION Lane operator+(const Lane& a, const Lane& b) {
  return {a.r0 + b.r0, a.r1 + b.r1, a.r2 + b.r2, a.r3 + b.r3};
}
STRAKE_LANE_FUNCTION Lane operator-(const Lane& a, const Lane& b) {
  return {a.r0 - b.r0, a.r1 - b.r1, a.r2 - b.r2, a.r3 - b.r3};
}
STRAKE_LANE_FUNCTION Lane operator*(const Lane& a, const Lane& b) {
  return {a.r0 * b.r0, a.r1 * b.r1, a.r2 * b.r2, a.r3 * b.r3};
}
STRAKE_LANE_FUNCTION Lane operator+(const Lane& a, float b) { return {a.r0 + b, a.r1 + b, a.r2 + b, a.r3 + b}; }
STRAKE_LANE_FUNCTION Lane operator*(float a, const Lane& b) { return {a * b.r0, a * b.r1, a * b.r2, a * b.r3}; }
STRAKE_LANE_FUNCTION Lane& operator+=(Lane& a, const Lane& b) { return a = a + b; }

STRAKE_LANE_FUNCTION void load(const float* from, Lane& lane) {
  const auto* registers = reinterpret_cast<const UnalignedLaneRegister*>(from);
  lane = {registers[0], registers[1], registers[2], registers[3]};
}

STRAKE_LANE_FUNCTION void store(const Lane& lane, float* to) {
  auto* registers = reinterpret_cast<UnalignedLaneRegister*>(to);
  registers[0] = lane.r0, registers[1] = lane.r1, registers[2] = lane.r2, registers[3] = lane.r3;
}

/// The larger of each pair, or `value` where it is not a number; then the smaller.
STRAKE_LANE_FUNCTION void raise_to(const Lane& low, Lane& value) {
  value = {value.r0 < low.r0 ? low.r0 : value.r0, value.r1 < low.r1 ? low.r1 : value.r1,
           value.r2 < low.r2 ? low.r2 : value.r2, value.r3 < low.r3 ? low.r3 : value.r3};
}
STRAKE_LANE_FUNCTION void lower_to(const Lane& high, Lane& value) {
  value = {value.r0 > high.r0 ? high.r0 : value.r0, value.r1 > high.r1 ? high.r1 : value.r1,
           value.r2 > high.r2 ? high.r2 : value.r2, value.r3 > high.r3 ? high.r3 : value.r3};
}

#else

// Values may alias nothing: an array of lanes that may alias stays in memory, and sums lose their registers.
typedef float Lane __attribute__((vector_size(lane_floats * sizeof(float))));
typedef float UnalignedLane __attribute__((vector_size(lane_floats * sizeof(float)), may_alias, aligned(4)));

STRAKE_LANE_FUNCTION void load(const float* from, Lane& lane) { lane = *reinterpret_cast<const UnalignedLane*>(from); }

STRAKE_LANE_FUNCTION void store(const Lane& lane, float* to) { *reinterpret_cast<UnalignedLane*>(to) = lane; }

/// The larger of each pair, or `value` where it is not a number; then the smaller.
STRAKE_LANE_FUNCTION void raise_to(const Lane& low, Lane& value) { value = value < low ? low : value; }
STRAKE_LANE_FUNCTION void lower_to(const Lane& high, Lane& value) { value = value > high ? high : value; }

#endif

/// The first `n` floats; the others become zero.
STRAKE_LANE_FUNCTION void load(const float* from, Index n, Lane& lane) {
  lane = Lane{};
  std::memcpy(&lane, from, static_cast<std::size_t>(n) * sizeof(float));
}

STRAKE_LANE_FUNCTION void store(const Lane& lane, Index n, float* to) {
  std::memcpy(to, &lane, static_cast<std::size_t>(n) * sizeof(float));
}

[[nodiscard]] inline Index whole_lanes(Index n) { return (n + lane_floats - 1) / lane_floats * lane_floats; }

}  // namespace strake::kernels

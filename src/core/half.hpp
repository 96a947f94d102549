// SPDX-License-Identifier: Apache-2.0
#pragma once
/// IEEE 754 half precision to float and back, by bits; rounds to nearest even.

#include <bit>
#include <cstdint>

namespace strake {

// Both compute every case and select, so that compilers make vectors of loops over them. No step has a subnormal
// float, which threads that compute take for 0.

[[nodiscard]] inline float half_to_float(std::uint16_t half) {
  constexpr std::uint32_t bias = std::uint32_t{127 - 15} << 23;
  constexpr std::uint32_t least_normal = std::uint32_t{127 - 14} << 23;
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t shifted = static_cast<std::uint32_t>(half & 0x7FFFU) << 13;
  // A subnormal half is what it adds to the mantissa of the least normal one.
  const float above = std::bit_cast<float>(shifted + least_normal) - std::bit_cast<float>(least_normal);
  const std::uint32_t finite = shifted < 0x00800000U ? std::bit_cast<std::uint32_t>(above) : shifted + bias;
  const std::uint32_t magnitude = shifted >= 0x0F800000U ? shifted | 0x7F800000U : finite;  // infinity and NaN
  return std::bit_cast<float>(sign | magnitude);
}

[[nodiscard]] inline std::uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  const std::uint32_t normal = (magnitude + 0xFFFU + ((magnitude >> 13) & 1U) - 0x38000000U) >> 13;
  // Subnormal half: adding 0.5 aligns the mantissa so that the float unit rounds it.
  const float aligned = std::bit_cast<float>(magnitude) + 0.5F;
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(aligned) - 0x3F000000U;
  const std::uint32_t finite = magnitude < 0x38800000U ? subnormal : normal;
  const std::uint32_t limited = magnitude >= 0x477FF000U ? 0x7C00U : finite;                // rounds to infinity
  return static_cast<std::uint16_t>(sign | (magnitude > 0x7F800000U ? 0x7E00U : limited));  // NaN stays one
}

}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What cells are after they travelled, by arithmetic on doubles, one cell after the other.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "core/transfer_type.hpp"

namespace strake::test {

inline constexpr TransferType rounded_types[] = {TransferType::bf16, TransferType::fp16, TransferType::int8};

/// The nearest number of so many bits of mantissa, ties to even, whose last bit is not below 2^`least_exponent`;
/// infinity above `most`.
inline float with_mantissa(float cell, int bits, int least_exponent, double most) {
  if (!std::isfinite(cell)) return cell;
  int exponent = 0;
  (void)std::frexp(static_cast<double>(cell), &exponent);
  const int last = std::max(exponent - bits, least_exponent);
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(static_cast<double>(cell), -last)), last);
  if (std::abs(rounded) > most) return std::copysign(std::numeric_limits<float>::infinity(), cell);
  return std::copysign(static_cast<float>(rounded), cell);
}

inline float scale_for(std::span<const float> cells) {
  float largest = 0;
  for (const float cell : cells)
    if (std::isfinite(cell)) largest = std::max(largest, std::abs(cell));
  const float scale = largest / 127;
  return std::isnormal(scale) ? scale : 0;
}

inline float in_steps(float cell, float scale) {
  if (std::isnan(cell)) return cell;
  if (std::isinf(cell)) return std::copysign(127 * scale, cell);
  return scale == 0 ? 0 : std::nearbyint(cell / scale) * scale + 0.0F;  // there is one zero only
}

/// The cells of one message.
inline void round_cells(std::span<float> cells, TransferType type) {
  const float scale = scale_for(cells);
  for (float& cell : cells) {
    if (type == TransferType::bf16) cell = with_mantissa(cell, 8, -133, 0x1.FEp127);
    if (type == TransferType::fp16) cell = with_mantissa(cell, 11, -24, 65504);
    if (type == TransferType::int8) cell = in_steps(cell, scale);
  }
}

/// Bytes of a message of so many cells.
inline std::size_t rounded_bytes(std::size_t n_cells, TransferType type) {
  if (type == TransferType::int8) return n_cells == 0 ? 0 : n_cells + 4;
  return type == TransferType::f32 ? 4 * n_cells : 2 * n_cells;
}

}  // namespace strake::test

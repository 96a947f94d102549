// SPDX-License-Identifier: Apache-2.0
#include "kernels/fast_activation.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include "core/errors.hpp"
#include "kernels/multiversion.hpp"

namespace strake::kernels {

namespace {

inline float clamp(float x, float low, float high) { return std::min(std::max(x, low), high); }

// 2^t for |t| <= 126. Source of the polynomial: S. Moshier, Cephes, exp2f.
inline float exp2_of(float t) {
  // Adding 1.5 * 2^23 rounds to the nearest whole number, which then stands in the lowest bits.
  constexpr float magic = 12582912.0F;
  const float shifted = t + magic;
  const float f = t - (shifted - magic);
  float p = 1.535336188319500e-4F;
  p = p * f + 1.339887440266574e-3F;
  p = p * f + 9.618437357674640e-3F;
  p = p * f + 5.550332471162809e-2F;
  p = p * f + 2.402264791363012e-1F;
  p = p * f + 6.931472028550421e-1F;
  p = p * f + 1.0F;
  return std::bit_cast<float>(std::bit_cast<std::int32_t>(p) + (std::bit_cast<std::int32_t>(shifted) << 23));
}

STRAKE_MULTIVERSION_FMA void swish(float* values, Index n, float a) {
  const float factor = -a * 1.44269504088896341F;
  for (Index i = 0; i < n; ++i) values[i] = values[i] / (1.0F + exp2_of(clamp(values[i] * factor, -126.0F, 126.0F)));
}

STRAKE_MULTIVERSION_FMA void bounds(float* values, Index n, float low, float high) {
  for (Index i = 0; i < n; ++i) values[i] = clamp(values[i], low, high);
}

STRAKE_MULTIVERSION_FMA void hard_swish(float* values, Index n) {
  for (Index i = 0; i < n; ++i) values[i] *= clamp(values[i] * (1.0F / 6.0F) + 0.5F, 0.0F, 1.0F);
}

STRAKE_MULTIVERSION_FMA void hard_sigmoid(float* values, Index n, float a, float b) {
  for (Index i = 0; i < n; ++i) values[i] = clamp(values[i] * a + b, 0.0F, 1.0F);
}

}  // namespace

bool has_fast(const Activation& function) {
  switch (function.kind) {
    case ActivationKind::relu:
    case ActivationKind::clip:
    case ActivationKind::swish:
    case ActivationKind::hard_swish:
    case ActivationKind::hard_sigmoid:
      return true;
    default:
      return false;
  }
}

void apply_fast(const Activation& function, float* values, Index n) {
  switch (function.kind) {
    case ActivationKind::relu:
      return bounds(values, n, 0, std::numeric_limits<float>::infinity());
    case ActivationKind::clip:
      return bounds(values, n, function.alpha, function.beta);
    case ActivationKind::swish:
      return swish(values, n, function.alpha);
    case ActivationKind::hard_swish:
      return hard_swish(values, n);
    case ActivationKind::hard_sigmoid:
      return hard_sigmoid(values, n, function.alpha, function.beta);
    default:
      throw Bug("internal error: this activation has no fast form");
  }
}

void apply_fast(const Activation& function, float* pixels, Index n_pixels, Index step, Index channels) {
  if (step == channels) return apply_fast(function, pixels, n_pixels * channels);
  for (Index i = 0; i < n_pixels; ++i) apply_fast(function, pixels + i * step, channels);
}

}  // namespace strake::kernels

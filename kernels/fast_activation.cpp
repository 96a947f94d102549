// SPDX-License-Identifier: Apache-2.0
#include "kernels/fast_activation.hpp"

#include <limits>

#include "core/errors.hpp"
#include "kernels/isa.hpp"
#include "kernels/lane_activation.hpp"
#include "kernels/multiversion.hpp"

namespace strake::kernels {

namespace {

STRAKE_MULTIVERSION_FMA void swish_any(float* values, Index n, float factor) {
  for (Index i = 0; i < n; ++i) values[i] = swish_of(values[i], factor);
}

#if defined(__x86_64__)
STRAKE_AVX512 void swish_in_lanes(float* values, Index n, float factor) {
  Lane lane;
  for (; n >= lane_floats; n -= lane_floats, values += lane_floats) {
    load(values, lane);
    swish_avx512(factor, lane);
    store(lane, values);
  }
  if (n == 0) return;
  load(values, n, lane);
  swish_avx512(factor, lane);
  store(lane, n, values);
}

void swish(float* values, Index n, float factor) {
  has_avx512() ? swish_in_lanes(values, n, factor) : swish_any(values, n, factor);
}
#else
void swish(float* values, Index n, float factor) { swish_any(values, n, factor); }
#endif

STRAKE_MULTIVERSION_FMA void bounds(float* values, Index n, float low, float high) {
  for (Index i = 0; i < n; ++i) values[i] = clamp(values[i], low, high);
}

STRAKE_MULTIVERSION_FMA void hard_swish(float* values, Index n) {
  for (Index i = 0; i < n; ++i) values[i] = hard_swish_of(values[i]);
}

STRAKE_MULTIVERSION_FMA void hard_sigmoid(float* values, Index n, float a, float b) {
  for (Index i = 0; i < n; ++i) values[i] = hard_sigmoid_of(values[i], a, b);
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
      return swish(values, n, swish_factor(function));
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

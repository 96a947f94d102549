// SPDX-License-Identifier: Apache-2.0
#include "kernels/fast_activation.hpp"

#include "core/errors.hpp"
#include "kernels/isa.hpp"
#include "kernels/lane_activation.hpp"
#include "kernels/multiversion.hpp"

namespace strake::kernels {

namespace {

template <bool avx512>
STRAKE_LANE_FUNCTION void apply_to_lanes(const Activation& function, float* values, Index n) {
  Lane lane;
  for (; n >= lane_floats; n -= lane_floats, values += lane_floats) {
    load(values, lane);
    apply_to_lane<avx512>(function, lane);
    store(lane, values);
  }
  if (n == 0) return;
  load(values, n, lane);
  apply_to_lane<avx512>(function, lane);
  store(lane, n, values);
}

STRAKE_MULTIVERSION_FMA void apply_to_all(const Activation& function, float* values, Index n) {
  apply_to_lanes<false>(function, values, n);
}

#if defined(__x86_64__)
STRAKE_AVX512 void apply_to_all_avx512(const Activation& function, float* values, Index n) {
  apply_to_lanes<true>(function, values, n);
}
#endif

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
  ensure(has_fast(function), "this activation has a fast form");
#if defined(__x86_64__)
  if (has_avx512()) return apply_to_all_avx512(function, values, n);
#endif
  apply_to_all(function, values, n);
}

void apply_fast(const Activation& function, float* pixels, Index n_pixels, Index step, Index channels) {
  if (step == channels) return apply_fast(function, pixels, n_pixels * channels);
  for (Index i = 0; i < n_pixels; ++i) apply_fast(function, pixels + i * step, channels);
}

}  // namespace strake::kernels

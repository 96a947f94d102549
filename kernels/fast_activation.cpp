// SPDX-License-Identifier: Apache-2.0
#include "kernels/fast_activation.hpp"

#include "core/errors.hpp"
#include "kernels/lane_activation.hpp"
#include "kernels/multiversion.hpp"

namespace strake::kernels {

namespace {

template <class L>
STRAKE_LANE_FUNCTION void apply_to_all_with(const Activation& function, float* values, Index n) {
  L lane;
  for (; n >= lane_floats; n -= lane_floats, values += lane_floats) {
    load(values, lane);
    apply_to_lane(function, lane);
    store(lane, values);
  }
  if (n == 0) return;
  load(values, n, lane);
  apply_to_lane(function, lane);
  store(lane, n, values);
}
STRAKE_BY_LANE(apply_to_all, (const Activation& function, float* values, Index n), (function, values, n))

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
  apply_to_all(function, values, n);
}

void apply_fast(const Activation& function, float* pixels, Index n_pixels, Index step, Index channels) {
  if (step == channels) return apply_fast(function, pixels, n_pixels * channels);
  for (Index i = 0; i < n_pixels; ++i) apply_fast(function, pixels + i * step, channels);
}

}  // namespace strake::kernels

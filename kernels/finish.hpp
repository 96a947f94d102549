// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What our own fast convolutions do to a result while it is still in a register.

#include <limits>
#include <optional>
#include <vector>

#include "core/op.hpp"
#include "kernels/lane.hpp"
#include "kernels/lane_activation.hpp"
#include "kernels/makers.hpp"

namespace strake::kernels {

/// Bias, then the residual that lies at the destination, then bounds, then the function.
struct Finish {
  const float* bias = nullptr;  // whole lanes of channels
  bool adds_to_dst = false;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  std::optional<Activation> function;  // one of `has_fast`
};

/// Stores the first `n` floats of a lane at `dst` (all where `n` is a whole lane).
template <class L>
STRAKE_LANE_FUNCTION void finish_lane(L& value, const Finish& finish, const float* bias, float* dst, Index n) {
  L other;
  load(bias, other);
  value += other;
  if (finish.adds_to_dst) {
    if (n == lane_floats) {
      load(dst, other);
    } else {
      load(dst, n, other);
    }
    value += other;
  }
  const L low = L{} + finish.low;
  const L high = L{} + finish.high;
  raise_to(low, value);
  lower_to(high, value);
  if (finish.function) apply_to_lane(*finish.function, value);
  if (n == lane_floats) {
    store(value, dst);
  } else {
    store(value, n, dst);
  }
}

/// Whether `with_ending` has what comes behind bias and residual: bounds or one function.
[[nodiscard]] bool ends_in_registers(const Finish& finish);

struct Bounds {
  float low, high;
  template <class L>
  STRAKE_LANE_FUNCTION void operator()(L& value) const {
    raise_to(L{} + low, value);
    lower_to(L{} + high, value);
  }
};

template <ActivationKind kind>
struct Activated {
  float alpha;
  template <class L>
  STRAKE_LANE_FUNCTION void operator()(L& value) const {
    apply_to_lane({.kind = kind, .alpha = alpha, .beta = 0}, value);
  }
};

/// Calls `body` with what comes behind bias and residual as a function of a lane, so that it is compiled for each.
/// @pre ends_in_registers(finish)
template <class Body>
STRAKE_LANE_FUNCTION void with_ending(const Finish& finish, const Body& body) {
  if (!finish.function)
    body(Bounds{finish.low, finish.high});
  else if (finish.function->kind == ActivationKind::swish)
    body(Activated<ActivationKind::swish>{finish.function->alpha});
  else
    body(Activated<ActivationKind::hard_swish>{});
}

/// Post-ops that fit: an addition, then bounds; empty for all others. The bias is for the caller to set.
[[nodiscard]] std::optional<Finish> simple_finish(const std::vector<PostOp>& post_ops);

/// The same, and a function of `has_fast` at the end: its bits depend on the instruction set.
[[nodiscard]] std::optional<Finish> fast_finish(std::vector<PostOp> post_ops);

/// Post-ops of any kind on the `n` sums of one pixel, which are changed; a residual lies at `out`, where the result
/// goes.
void finish_pixel(const std::vector<PostOp>& post_ops, float* sums, Index n, float* out);

/// The convolution's bias of these output channels in whole lanes; zeros without one.
[[nodiscard]] std::vector<float> padded_bias(const MakeContext& context, Interval channels);

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Activations of our own fast kernels, in registers. Their bits depend on the instruction set.

#include "core/op.hpp"
#include "kernels/lane.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace strake::kernels {

/// x = x * sigmoid(alpha * x) = x / (1 + 2^(factor * x)). Source of the polynomial for 2^t, |t| <= 126: S. Moshier,
/// Cephes, exp2f.
template <class Register>
STRAKE_LANE_FUNCTION void swish(float factor, Register& x) {
  typedef decltype(x < x) Ints;
  // Adding 1.5 * 2^23 rounds to the nearest whole number, which then stands in the lowest bits.
  constexpr float magic = 12582912.0F;
  Register t = x * factor;
  t = t < -126.0F ? Register{} - 126.0F : t;
  t = t > 126.0F ? Register{} + 126.0F : t;
  const Register shifted = t + magic;
  const Register f = t - (shifted - magic);
  Register p = f * 1.535336188319500e-4F + 1.339887440266574e-3F;
  p = p * f + 9.618437357674640e-3F;
  p = p * f + 5.550332471162809e-2F;
  p = p * f + 2.402264791363012e-1F;
  p = p * f + 6.931472028550421e-1F;
  p = p * f + 1.0F;
  const Ints power = reinterpret_cast<Ints>(p) + (reinterpret_cast<Ints>(shifted) << 23);
  x = x / (1.0F + reinterpret_cast<Register>(power));
}

template <class Half>
STRAKE_LANE_FUNCTION void swish(float factor, Pair<Half>& lane) {
  swish(factor, lane.low);
  swish(factor, lane.high);
}

/// lane = min(max(a * lane + b, 0), 1)
template <class L>
STRAKE_LANE_FUNCTION void hard_sigmoid(float a, float b, L& lane) {
  lane = a * lane + b;
  raise_to(L{}, lane);
  lower_to(L{} + 1.0F, lane);
}

#if defined(__x86_64__)

/// The same in a third of the time, by what compilers do not find themselves: 2^n in one instruction, and a reciprocal
/// of 14 bits that one Newton step doubles.
__attribute__((target("avx512f,avx512dq"))) inline void swish(float factor, Lane512& lane) {
  constexpr int nearest_whole = 0x08;     // and no exceptions
  constexpr int smaller_magnitude = 0x2;  // with the sign of the first
  constexpr __mmask16 all = 0xFFFF;       // forms with a mask, since g++ 12 warns of what the others leave undefined
  const __m512 one = _mm512_set1_ps(1.0F);
  const __m512 x = lane;
  const __m512 t = _mm512_maskz_range_ps(all, x * _mm512_set1_ps(factor), _mm512_set1_ps(126.0F), smaller_magnitude);
  const __m512 whole = _mm512_maskz_roundscale_ps(all, t, nearest_whole);
  const __m512 f = t - whole;
  // 2^f for |f| <= 0.5 within 1.5e-7 of its size: Remez' algorithm, then the constant term rounded to 1.
  __m512 p = _mm512_set1_ps(1.327647198e-3F);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.675541334e-3F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.550713274e-2F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.402211972e-1F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.931469671e-1F));
  p = _mm512_fmadd_ps(p, f, one);
  const __m512 below = _mm512_maskz_scalef_ps(all, p, whole) + one;
  const __m512 guess = _mm512_maskz_rcp14_ps(all, below);
  lane = x * _mm512_fmadd_ps(guess, _mm512_fnmadd_ps(below, guess, one), guess);
}

#endif

/// -alpha / ln 2.
[[nodiscard]] inline float swish_factor(const Activation& function) { return -function.alpha * 1.44269504088896341F; }

/// lane = function(lane), for one of `has_fast`.
template <class L>
STRAKE_LANE_FUNCTION void apply_to_lane(const Activation& function, L& lane) {
  switch (function.kind) {
    case ActivationKind::swish:
      return swish(swish_factor(function), lane);
    case ActivationKind::hard_swish: {
      const L x = lane;
      hard_sigmoid(1.0F / 6.0F, 0.5F, lane);
      lane = x * lane;
      return;
    }
    case ActivationKind::hard_sigmoid:
      return hard_sigmoid(function.alpha, function.beta, lane);
    case ActivationKind::relu:
      return raise_to(L{}, lane);
    case ActivationKind::clip:
      raise_to(L{} + function.alpha, lane);
      return lower_to(L{} + function.beta, lane);
    default:
      return;  // none of `has_fast`
  }
}

}  // namespace strake::kernels

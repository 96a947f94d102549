// SPDX-License-Identifier: Apache-2.0
#include "kernels/integer_finish.hpp"

#include <algorithm>

#include "kernels/byte_lane.hpp"
#include "kernels/multiversion.hpp"

namespace strake::kernels {

namespace {

STRAKE_LANE_FUNCTION void bound(Lane& v, float low, float high) {
  raise_to(Lane{} + low, v);
  lower_to(Lane{} + high, v);
}

// Floats above 2^23 have no fraction: adding this to a small number of either sign rounds it, half to even, and leaves
// the integer in the lowest bits.
constexpr float no_fraction = 12582912;  // 1.5 * 2^23

// To the nearest integer between two integers.
STRAKE_LANE_FUNCTION void round_between(Lane& v, float low, float high) {
  bound(v, low, high);
  v = (v + no_fraction) - (Lane{} + no_fraction);
}

STRAKE_LANE_FUNCTION void add_residual(const QuantizedResidual& residual, ElementType type, const std::byte* src,
                                       Lane& v) {
  if (residual.step != 0) {
    round_between(v, residual.low, residual.high);
    v = residual.step * v;
  }
  IntegerLane r;
  if (type == ElementType::u8) {
    widen<std::uint8_t>(src, r);
  } else {
    widen<std::int8_t>(src, r);
  }
  Lane other;
  to_floats(r, other);
  v += residual.scale * (other - (Lane{} + residual.zero));
}

// A whole lane of channels from `m` on. Bits of i8 are stored like those of u8.
template <ElementType to, bool adds>
STRAKE_LANE_FUNCTION void finish_lane(const IntegerFinish& how, const std::int32_t* from, Index m, const std::byte* src,
                                      std::byte* dst) {
  IntegerLane sums;
  IntegerLane base;
  std::memcpy(&sums, from, sizeof sums);
  std::memcpy(&base, how.base + m, sizeof base);
  add(sums, base);
  if constexpr (to == ElementType::i32) {
    std::memcpy(dst, &sums, sizeof sums);
  } else {
    Lane scale;
    Lane shift;
    load(how.scale + m, scale);
    load(how.shift + m, shift);
    Lane v;
    to_floats(sums, v);
    v = v * scale + shift;
    if constexpr (adds) add_residual(*how.residual, how.residual_type, src, v);
    if constexpr (to == ElementType::f32) {
      bound(v, how.low, how.high);
      std::memcpy(dst, &v, sizeof v);
    } else {
      bound(v, how.low - how.zero, how.high - how.zero);
      v = v + no_fraction;
      IntegerLane bits;
      std::memcpy(&bits, &v, sizeof bits);
      narrow(bits + static_cast<std::int32_t>(how.zero), dst);
    }
  }
}

/// Whose channels, and where they lie.
struct Places {
  Index first;
  Index n;
  Index n_pixels;
  std::byte* const* dst;
  const std::byte* const* src;
};

template <ElementType to, bool adds>
STRAKE_LANE_FUNCTION void finish_pixels(const IntegerFinish& all, const Places& at) {
  constexpr auto cell = static_cast<Index>(size_of(to));
  const IntegerFinish how = all;  // nothing that is written may change it
  const Index n_whole = at.n / lane_floats * lane_floats;
  const auto rest = static_cast<std::size_t>(at.n - n_whole);
  for (Index pixel = 0; pixel < at.n_pixels; ++pixel) {
    const std::int32_t* sums = how.sums + pixel * how.sum_step;
    std::byte* dst = at.dst[pixel] + at.first * cell;
    const std::byte* src = adds ? at.src[pixel] + at.first : nullptr;
    for (Index m = 0; m < n_whole; m += lane_floats)
      finish_lane<to, adds>(how, sums + m, at.first + m, adds ? src + m : nullptr, dst + m * cell);
    if (rest == 0) continue;
    std::byte in[lane_floats] = {};
    std::byte out[lane_floats * cell];
    if constexpr (adds) std::memcpy(in, src + n_whole, rest);
    finish_lane<to, adds>(how, sums + n_whole, at.first + n_whole, in, out);
    std::memcpy(dst + n_whole * cell, out, rest * static_cast<std::size_t>(cell));
  }
}

template <ElementType to>
STRAKE_LANE_FUNCTION void finish_scaled(const IntegerFinish& how, const Places& at) {
  if (how.residual != nullptr) {
    finish_pixels<to, true>(how, at);
  } else {
    finish_pixels<to, false>(how, at);
  }
}

STRAKE_MULTIVERSION void finish_all(const IntegerFinish& how, const Places& at) {
  if (how.to == ElementType::i32) {
    finish_pixels<ElementType::i32, false>(how, at);
  } else if (how.to == ElementType::f32) {
    finish_scaled<ElementType::f32>(how, at);
  } else {
    finish_scaled<ElementType::u8>(how, at);
  }
}

}  // namespace

void finish(const IntegerFinish& how, Index first, Index n, Index n_pixels, std::byte* const* dst,
            const std::byte* const* src) {
  finish_all(how, {.first = first, .n = n, .n_pixels = n_pixels, .dst = dst, .src = src});
}

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#include "kernels/integer_finish.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/lane.hpp"
#include "kernels/multiversion.hpp"

namespace strake::kernels {

namespace {

typedef std::int32_t IntegerLane __attribute__((vector_size(lane_floats * sizeof(std::int32_t)), may_alias));
typedef std::uint32_t UnsignedLane __attribute__((vector_size(lane_floats * sizeof(std::uint32_t)), may_alias));
typedef std::uint8_t UnsignedBytes __attribute__((vector_size(lane_floats)));
typedef std::int8_t SignedBytes __attribute__((vector_size(lane_floats)));

// The first `n` cells; memcpy of a constant size is one instruction.
template <class V>
STRAKE_LANE_FUNCTION void load_cells(const void* from, Index n, V& to) {
  if (n == lane_floats) {
    std::memcpy(&to, from, sizeof to);
  } else {
    to = V{};
    std::memcpy(&to, from, static_cast<std::size_t>(n) * sizeof to[0]);
  }
}

template <class V>
STRAKE_LANE_FUNCTION void store_cells(const V& from, Index n, void* to) {
  if (n == lane_floats) {
    std::memcpy(to, &from, sizeof from);
  } else {
    std::memcpy(to, &from, static_cast<std::size_t>(n) * sizeof from[0]);
  }
}

STRAKE_LANE_FUNCTION void bound(Lane& v, float low, float high) {
  const Lane least = Lane{} + low;
  const Lane most = Lane{} + high;
  v = v < least ? least : v;
  v = v > most ? most : v;
}

// To the nearest integer between two integers, half to even. Floats above 2^23 have no fraction.
STRAKE_LANE_FUNCTION void round_between(Lane& v, float low, float high) {
  bound(v, low, high);
  constexpr float no_fraction = 12582912;  // 1.5 * 2^23, for numbers of either sign
  v = (v + no_fraction) - no_fraction;
}

STRAKE_LANE_FUNCTION void add_residual(const IntegerFinish& how, const std::byte* src, Index n, Lane& v) {
  const QuantizedResidual& residual = *how.residual;
  if (residual.step != 0) {
    round_between(v, residual.low, residual.high);
    v *= residual.step;
  }
  Lane r;
  if (how.residual_type == ElementType::u8) {
    UnsignedBytes bytes;
    load_cells(src, n, bytes);
    r = __builtin_convertvector(bytes, Lane);
  } else {
    SignedBytes bytes;
    load_cells(src, n, bytes);
    r = __builtin_convertvector(bytes, Lane);
  }
  v += (r - residual.zero) * residual.scale;
}

STRAKE_LANE_FUNCTION void store_scaled(const IntegerFinish& how, Lane& v, Index n, std::byte* dst) {
  if (how.to == ElementType::f32) {
    bound(v, how.low, how.high);
    return store_cells(v, n, dst);
  }
  round_between(v, how.low - how.zero, how.high - how.zero);
  const IntegerLane whole = __builtin_convertvector(v + how.zero, IntegerLane);
  store_cells(__builtin_convertvector(whole, UnsignedBytes), n, dst);  // the bits of i8 are the same
}

}  // namespace

STRAKE_MULTIVERSION void finish(const IntegerFinish& how, Index first, Index n, Index n_pixels, std::byte* const* dst,
                                const std::byte* const* src) {
  for (Index pixel = 0; pixel < n_pixels; ++pixel)
    for (Index at = 0; at < n; at += lane_floats) {
      const Index cells = std::min(n - at, lane_floats);
      IntegerLane sums;
      IntegerLane base;
      std::memcpy(&sums, how.sums + pixel * how.sum_step + at, sizeof sums);
      std::memcpy(&base, how.base + first + at, sizeof base);
      sums = (IntegerLane)((UnsignedLane)sums + (UnsignedLane)base);  // wraps around
      std::byte* to = dst[pixel] + (first + at) * static_cast<Index>(size_of(how.to));
      if (how.scale == nullptr) {
        store_cells(sums, cells, to);
        continue;
      }
      Lane scale;
      Lane shift;
      load(how.scale + first + at, scale);
      load(how.shift + first + at, shift);
      Lane v = __builtin_convertvector(sums, Lane) * scale + shift;
      if (how.residual != nullptr) add_residual(how, src[pixel] + first + at, cells, v);
      store_scaled(how, v, cells, to);
    }
}

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#include "kernels/integer_dot.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/byte_lane.hpp"
#include "kernels/isa.hpp"
#include "kernels/multiversion.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace strake::kernels {

namespace {

// ---- floats -------------------------------------------------------------------------------------------------------

constexpr int float_pixels = 6;  // 12 of AVX2's 16 registers hold sums

// Products of two 9-bit integers are below 2^16, so the sum of so many of them is below 2^24: exact, in any order and
// with or without contraction.
constexpr Index exact_terms = 256;

template <class L>
STRAKE_LANE_FUNCTION void flush(L& sums, IntegerLane& all) {
  IntegerLane more;
  to_integers(sums, more);
  add(all, more);
  sums = L{};
}

template <class L, int P>
STRAKE_LANE_FUNCTION void float_block(const DotBlock& d) {
  IntegerLane all[P] = {};
  L sums[P] = {};
  Index terms = 0;
  const auto* weights = reinterpret_cast<const float*>(d.weights);
  for (Index tap = 0; tap < d.n_taps; ++tap) {
    const float* x[P];
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) x[p] = reinterpret_cast<const float*>(d.places[tap * d.place_step + p]);
    for (Index begin = 0; begin < d.n_steps;) {
      const Index end = std::min(d.n_steps, begin + exact_terms - terms);
      terms += end - begin;
      for (Index i = begin; i < end; ++i, weights += dot_lane * d.n_lanes) {
        L right;
        load(weights, right);
#pragma GCC unroll 8
        for (int p = 0; p < P; ++p) add_product(x[p][i], right, sums[p]);
      }
      begin = end;
      if (terms < exact_terms) continue;
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) flush(sums[p], all[p]);
      terms = 0;
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) flush(sums[p], all[p]);
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) std::memcpy(d.sums + p * d.n_lanes * dot_lane, &all[p], sizeof(IntegerLane));
}

template <class L, int P = float_pixels>
STRAKE_LANE_FUNCTION void float_pixels_of(const DotBlock& d) {
  if (d.n_pixels == P) {
    float_block<L, P>(d);
  } else if constexpr (P > 1) {
    float_pixels_of<L, P - 1>(d);
  }
}

// Two lanes would need more registers than AVX2 has: one after the other.
template <class L>
STRAKE_LANE_FUNCTION void multiply_floats_with(const DotBlock& dot) {
  DotBlock lane = dot;
  for (Index i = 0; i < dot.n_lanes; ++i) {
    float_pixels_of<L>(lane);
    lane.weights += dot_lane * step_bytes;
    lane.sums += dot_lane;
  }
}
STRAKE_BY_LANE(multiply_floats, (const DotBlock& dot), (dot))

// ---- bytes --------------------------------------------------------------------------------------------------------

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define STRAKE_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define STRAKE_VNNI_INLINE \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"), always_inline)) inline
constexpr int byte_pixels = 14;  // 28 of 32 registers hold sums of two lanes

template <int P, int L>
STRAKE_VNNI_INLINE void byte_block(const DotBlock& d) {
  __m512i sums[P][L];
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 2
    for (int l = 0; l < L; ++l) sums[p][l] = _mm512_setzero_si512();
  const std::byte* weights = d.weights;
  for (Index tap = 0; tap < d.n_taps; ++tap) {
    const std::byte* x[P];
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) x[p] = d.places[tap * d.place_step + p];
    for (Index at = 0; at < d.n_steps * step_bytes; at += step_bytes, weights += L * 64) {
      __m512i right[L];
#pragma GCC unroll 2
      for (int l = 0; l < L; ++l) right[l] = _mm512_loadu_si512(weights + l * 64);
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
        std::int32_t four;
        std::memcpy(&four, x[p] + at, sizeof four);
        const __m512i left = _mm512_set1_epi32(four);
#pragma GCC unroll 2
        for (int l = 0; l < L; ++l) sums[p][l] = _mm512_dpbusd_epi32(sums[p][l], left, right[l]);
      }
    }
  }
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 2
    for (int l = 0; l < L; ++l) _mm512_storeu_si512(d.sums + (p * L + l) * dot_lane, sums[p][l]);
}

template <int L, int P = byte_pixels>
STRAKE_VNNI_INLINE void byte_pixels_of(const DotBlock& d) {
  if (d.n_pixels == P) {
    byte_block<P, L>(d);
  } else if constexpr (P > 1) {
    byte_pixels_of<L, P - 1>(d);
  }
}

STRAKE_VNNI void multiply_bytes(const DotBlock& dot) {
  if (dot.n_lanes == 2) {
    byte_pixels_of<2>(dot);
  } else {
    byte_pixels_of<1>(dot);
  }
}

// As `multiply_channels`, with instructions that compilers do not find.
template <class Widen>
STRAKE_VNNI_INLINE void wide_channels(const ChannelDot& d, const Widen& widen_bytes) {
  const Index width = (d.n + dot_lane - 1) / dot_lane * dot_lane;
  for (Index first = 0; first < d.n; first += dot_lane) {
    const auto cells = static_cast<__mmask16>((1U << std::min(d.n - first, dot_lane)) - 1);
    __m512i sums = _mm512_setzero_si512();
    for (Index tap = 0; tap < d.n_taps; ++tap) {
      const __m128i bytes = _mm_maskz_loadu_epi8(cells, d.places[tap * d.place_step] + first);
      const __m512i weights = _mm512_loadu_si512(d.weights + tap * width + first);
      sums = _mm512_add_epi32(sums, _mm512_mullo_epi32(widen_bytes(bytes), weights));
    }
    _mm512_storeu_si512(d.sums + first, sums);
  }
}

// With a mask of all cells: compilers take what the others leave open for a variable without a value.
struct WidenUnsigned {
  STRAKE_VNNI __m512i operator()(__m128i bytes) const { return _mm512_maskz_cvtepu8_epi32(0xFFFF, bytes); }
};
struct WidenSigned {
  STRAKE_VNNI __m512i operator()(__m128i bytes) const { return _mm512_maskz_cvtepi8_epi32(0xFFFF, bytes); }
};
STRAKE_VNNI void wide_channels_u8(const ChannelDot& dot) { wide_channels(dot, WidenUnsigned{}); }
STRAKE_VNNI void wide_channels_i8(const ChannelDot& dot) { wide_channels(dot, WidenSigned{}); }

bool has_byte_dot() { return instruction_set_level() >= 4 && __builtin_cpu_supports("avx512vnni") != 0; }
#endif

// ---- one channel for each group -----------------------------------------------------------------------------------

// The lane of channels from `first` on, by `read(place, lane)`.
template <class Read>
STRAKE_LANE_FUNCTION void multiply_lane(const ChannelDot& d, Index first, Index width, const Read& read) {
  IntegerLane sums{};
  for (Index tap = 0; tap < d.n_taps; ++tap) {
    IntegerLane x;
    read(d.places[tap * d.place_step] + first, x);
    IntegerLane weights;
    std::memcpy(&weights, d.weights + tap * width + first, sizeof weights);
    sums += x * weights;
  }
  std::memcpy(d.sums + first, &sums, sizeof sums);
}

template <class T>
struct ReadLane {
  STRAKE_LANE_FUNCTION void operator()(const std::byte* from, IntegerLane& to) const { widen<T>(from, to); }
};

// Only the first `n` bytes, which may be the last that there are.
template <class T>
struct ReadPart {
  std::size_t n;
  STRAKE_LANE_FUNCTION void operator()(const std::byte* from, IntegerLane& to) const {
    std::byte part[dot_lane] = {};
    std::memcpy(part, from, n);
    widen<T>(part, to);
  }
};

template <class T>
STRAKE_LANE_FUNCTION void multiply_channels(const ChannelDot& d) {
  const Index width = (d.n + dot_lane - 1) / dot_lane * dot_lane;
  Index first = 0;
  for (; first + dot_lane <= d.n; first += dot_lane) multiply_lane(d, first, width, ReadLane<T>{});
  if (first < d.n) multiply_lane(d, first, width, ReadPart<T>{static_cast<std::size_t>(d.n - first)});
}

STRAKE_MULTIVERSION void multiply_u8(const ChannelDot& dot) { multiply_channels<std::uint8_t>(dot); }
STRAKE_MULTIVERSION void multiply_i8(const ChannelDot& dot) { multiply_channels<std::int8_t>(dot); }

}  // namespace

Dot fastest_dot(bool bytes) {
#if defined(STRAKE_VNNI)
  if (bytes && has_byte_dot())
    return {.channels_per_step = 4, .most_pixels = byte_pixels, .multiply = multiply_bytes, .name = "own_int8:vnni"};
#else
  (void)bytes;
#endif
  return {.channels_per_step = 1, .most_pixels = float_pixels, .multiply = multiply_floats, .name = "own_int8:float"};
}

MultiplyChannels fastest_channels(ElementType type) {
#if defined(STRAKE_VNNI)
  if (has_byte_dot()) return type == ElementType::u8 ? wide_channels_u8 : wide_channels_i8;
#endif
  return type == ElementType::u8 ? multiply_u8 : multiply_i8;
}

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Sixteen integers at once, and the bytes that they come from and go to.

#include <cstddef>
#include <cstdint>

#include "kernels/lane.hpp"

namespace strake::kernels {

typedef std::int32_t IntegerLane __attribute__((vector_size(lane_floats * sizeof(std::int32_t)), may_alias));
typedef std::uint32_t UnsignedLane __attribute__((vector_size(lane_floats * sizeof(std::uint32_t)), may_alias));

/// Sums wrap around.
STRAKE_LANE_FUNCTION void add(IntegerLane& all, const IntegerLane& more) {
  all = (IntegerLane)((UnsignedLane)all + (UnsignedLane)more);
}

/// Each integer as the nearest float.
template <class L>
STRAKE_LANE_FUNCTION void to_floats(const IntegerLane& from, L& to) {
  typedef float Floats __attribute__((vector_size(sizeof(IntegerLane))));
  const Floats floats = __builtin_convertvector(from, Floats);
  std::memcpy(&to, &floats, sizeof to);
}

/// Each float without its fraction; all within the integers' range.
template <class L>
STRAKE_LANE_FUNCTION void to_integers(const L& from, IntegerLane& to) {
  typedef float Floats __attribute__((vector_size(sizeof(IntegerLane))));
  Floats floats;
  std::memcpy(&floats, &from, sizeof floats);
  to = __builtin_convertvector(floats, IntegerLane);
}

/// Sixteen bytes of type T (u8 or i8) as 32-bit integers. By way of 16 bits: compilers make a few instructions of that.
template <class T>
STRAKE_LANE_FUNCTION void widen(const std::byte* from, IntegerLane& to) {
  typedef T Bytes __attribute__((vector_size(lane_floats)));
  typedef std::int16_t Words __attribute__((vector_size(lane_floats * sizeof(std::int16_t))));
  Bytes bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  to = __builtin_convertvector(__builtin_convertvector(bytes, Words), IntegerLane);
}

/// The lowest byte of each integer.
STRAKE_LANE_FUNCTION void narrow(const IntegerLane& from, std::byte* to) {
  typedef std::uint8_t Bytes __attribute__((vector_size(lane_floats)));
  const Bytes bytes = __builtin_convertvector(from, Bytes);
  std::memcpy(to, &bytes, sizeof bytes);
}

}  // namespace strake::kernels

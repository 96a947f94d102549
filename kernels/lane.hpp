// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Sixteen floats at once, in registers of one instruction set: one of AVX-512, two of AVX, four of SSE or NEON.
/// Compilers leave vectors that are wider than a register in memory, so that code on lanes is a template of the kind of
/// lane, compiled for each of them (`STRAKE_BY_LANE` in `multiversion.hpp`).

#include <cstring>

#include "core/box.hpp"

namespace strake::kernels {

inline constexpr Index lane_floats = 16;

/// Functions on lanes are always inlined: how a lane is passed depends on the instruction set.
#define STRAKE_LANE_FUNCTION [[gnu::always_inline]] inline
#define STRAKE_LANE_LAMBDA __attribute__((always_inline))

typedef float Register128 __attribute__((vector_size(16)));
typedef float Register256 __attribute__((vector_size(32)));
typedef float Register512 __attribute__((vector_size(64)));

/// Two halves that lie one behind the other.
template <class Half>
struct Pair {
  Half low, high;
};

// Values may alias nothing: an array of lanes that may alias stays in memory, and sums lose their registers.
typedef Pair<Pair<Register128>> Lane128;
typedef Pair<Register256> Lane256;
typedef Register512 Lane512;

/// What is left to the compiler, in functions whose speed does not matter or that it splits well.
#if defined(__aarch64__)
typedef Lane128 Lane;
#else
typedef Lane512 Lane;
#endif

/// Also of single registers.
template <class L>
inline constexpr Index floats_of = static_cast<Index>(sizeof(L) / sizeof(float));

// ---- arithmetic: that of registers is the compiler's ---------------------------------------------------------------

template <class Half>
STRAKE_LANE_FUNCTION Pair<Half> operator+(const Pair<Half>& a, const Pair<Half>& b) {
  return {a.low + b.low, a.high + b.high};
}
template <class Half>
STRAKE_LANE_FUNCTION Pair<Half> operator-(const Pair<Half>& a, const Pair<Half>& b) {
  return {a.low - b.low, a.high - b.high};
}
template <class Half>
STRAKE_LANE_FUNCTION Pair<Half> operator*(const Pair<Half>& a, const Pair<Half>& b) {
  return {a.low * b.low, a.high * b.high};
}
template <class Half>
STRAKE_LANE_FUNCTION Pair<Half> operator+(const Pair<Half>& a, float b) {
  return {a.low + b, a.high + b};
}
template <class Half>
STRAKE_LANE_FUNCTION Pair<Half> operator*(float a, const Pair<Half>& b) {
  return {a * b.low, a * b.high};
}
template <class Half>
STRAKE_LANE_FUNCTION Pair<Half>& operator+=(Pair<Half>& a, const Pair<Half>& b) {
  a.low += b.low;
  a.high += b.high;
  return a;
}

/// sum += a * b, of one number or of as many. In one expression for each register, which compilers can contract.
template <class A, class Register>
STRAKE_LANE_FUNCTION void add_product(const A& a, const Register& b, Register& sum) {
  sum += a * b;
}
template <class Half>
STRAKE_LANE_FUNCTION void add_product(const float& a, const Pair<Half>& b, Pair<Half>& sum) {
  add_product(a, b.low, sum.low);
  add_product(a, b.high, sum.high);
}
template <class Half>
STRAKE_LANE_FUNCTION void add_product(const Pair<Half>& a, const Pair<Half>& b, Pair<Half>& sum) {
  add_product(a.low, b.low, sum.low);
  add_product(a.high, b.high, sum.high);
}

/// The larger of each pair, or `value` where it is not a number; then the smaller.
template <class Register>
STRAKE_LANE_FUNCTION void raise_to(const Register& low, Register& value) {
  value = value < low ? low : value;
}
template <class Register>
STRAKE_LANE_FUNCTION void lower_to(const Register& high, Register& value) {
  value = value > high ? high : value;
}
template <class Half>
STRAKE_LANE_FUNCTION void raise_to(const Pair<Half>& low, Pair<Half>& value) {
  raise_to(low.low, value.low);
  raise_to(low.high, value.high);
}
template <class Half>
STRAKE_LANE_FUNCTION void lower_to(const Pair<Half>& high, Pair<Half>& value) {
  lower_to(high.low, value.low);
  lower_to(high.high, value.high);
}

// ---- to and from memory, aligned or not ----------------------------------------------------------------------------

typedef float UnalignedRegister128 __attribute__((vector_size(16), may_alias, aligned(4)));
typedef float UnalignedRegister256 __attribute__((vector_size(32), may_alias, aligned(4)));
typedef float UnalignedRegister512 __attribute__((vector_size(64), may_alias, aligned(4)));

STRAKE_LANE_FUNCTION void load(const float* from, Register128& to) {
  to = *reinterpret_cast<const UnalignedRegister128*>(from);
}
STRAKE_LANE_FUNCTION void load(const float* from, Register256& to) {
  to = *reinterpret_cast<const UnalignedRegister256*>(from);
}
STRAKE_LANE_FUNCTION void load(const float* from, Register512& to) {
  to = *reinterpret_cast<const UnalignedRegister512*>(from);
}
STRAKE_LANE_FUNCTION void store(const Register128& from, float* to) {
  *reinterpret_cast<UnalignedRegister128*>(to) = from;
}
STRAKE_LANE_FUNCTION void store(const Register256& from, float* to) {
  *reinterpret_cast<UnalignedRegister256*>(to) = from;
}
STRAKE_LANE_FUNCTION void store(const Register512& from, float* to) {
  *reinterpret_cast<UnalignedRegister512*>(to) = from;
}
template <class Half>
STRAKE_LANE_FUNCTION void load(const float* from, Pair<Half>& to) {
  load(from, to.low);
  load(from + floats_of<Half>, to.high);
}
template <class Half>
STRAKE_LANE_FUNCTION void store(const Pair<Half>& from, float* to) {
  store(from.low, to);
  store(from.high, to + floats_of<Half>);
}

/// The first `n` floats; the others become zero.
template <class L>
STRAKE_LANE_FUNCTION void load(const float* from, Index n, L& lane) {
  lane = L{};
  std::memcpy(&lane, from, static_cast<std::size_t>(n) * sizeof(float));
}

template <class L>
STRAKE_LANE_FUNCTION void store(const L& lane, Index n, float* to) {
  std::memcpy(to, &lane, static_cast<std::size_t>(n) * sizeof(float));
}

[[nodiscard]] inline Index whole_lanes(Index n) { return (n + lane_floats - 1) / lane_floats * lane_floats; }

}  // namespace strake::kernels

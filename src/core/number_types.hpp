// SPDX-License-Identifier: Apache-2.0
#pragma once
/// C++ types that compute with the elements of each type: 16-bit floats are classes that widen to float.

#include <bit>
#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

#include "core/element_type.hpp"
#include "core/half.hpp"

namespace strake {

/// The float nearest to `value` whose last bit says whether anything was lost, so that a second rounding to fewer bits
/// gives what one rounding of `value` would.
[[nodiscard]] inline float rounded_to_odd(double value) {
  const auto nearest = static_cast<float>(value);
  if (static_cast<double>(nearest) == value || std::isnan(value)) return nearest;
  const float inner =
      std::abs(static_cast<double>(nearest)) > std::abs(value) ? std::nextafter(nearest, 0.0F) : nearest;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(inner) | 1U);
}

/// bfloat16: the upper half of a float.
[[nodiscard]] inline float bfloat_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// Rounds to nearest even.
[[nodiscard]] inline std::uint16_t float_to_bfloat(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
  const std::uint32_t nan = (bits >> 16) | 0x40U;  // stays one
  return static_cast<std::uint16_t>((bits & 0x7FFFFFFFU) > 0x7F800000U ? nan : rounded);
}

template <float (*widen)(std::uint16_t), std::uint16_t (*narrow)(float)>
class SmallFloat {
 public:
  SmallFloat() = default;
  template <class T>
  requires std::is_arithmetic_v<T>
  explicit SmallFloat(T value) : bits_(narrow(rounded_to_odd(static_cast<double>(value)))) {}
  operator float() const { return widen(bits_); }  // NOLINT(*-explicit-*): it is a float wherever one computes

 private:
  std::uint16_t bits_ = 0;
};

using Half = SmallFloat<half_to_float, float_to_half>;
using BFloat = SmallFloat<bfloat_to_float, float_to_bfloat>;
static_assert(sizeof(Half) == 2 && sizeof(BFloat) == 2);

template <class T>
inline constexpr bool is_float_number = std::is_floating_point_v<T> || std::same_as<T, Half> || std::same_as<T, BFloat>;

/// Calls body(std::type_identity<T>{}) with a type that computes: as `with_type`, but Half and BFloat instead of bits.
template <class Body>
decltype(auto) with_number(ElementType type, Body&& body) {
  if (type == ElementType::f16) return body(std::type_identity<Half>{});
  if (type == ElementType::bf16) return body(std::type_identity<BFloat>{});
  return with_type(type, body);
}

/// The element type whose numbers are `T`.
template <class T>
[[nodiscard]] constexpr ElementType element_type_of() {
  if constexpr (std::same_as<T, float>) return ElementType::f32;
  if constexpr (std::same_as<T, double>) return ElementType::f64;
  if constexpr (std::same_as<T, Half>) return ElementType::f16;
  if constexpr (std::same_as<T, BFloat>) return ElementType::bf16;
  if constexpr (std::same_as<T, bool>) return ElementType::boolean;
  if constexpr (std::same_as<T, std::int8_t>) return ElementType::i8;
  if constexpr (std::same_as<T, std::int16_t>) return ElementType::i16;
  if constexpr (std::same_as<T, std::int32_t>) return ElementType::i32;
  if constexpr (std::same_as<T, std::int64_t>) return ElementType::i64;
  if constexpr (std::same_as<T, std::uint8_t>) return ElementType::u8;
  if constexpr (std::same_as<T, std::uint16_t>) return ElementType::u16;
  if constexpr (std::same_as<T, std::uint32_t>) return ElementType::u32;
  if constexpr (std::same_as<T, std::uint64_t>) return ElementType::u64;
}

/// A number as another type: floats towards zero and clamped to what an integer holds (a NaN is 0), integers modulo
/// 2^bits, anything but 0 is true.
template <class To, class From>
[[nodiscard]] To number_cast(From value) {
  if constexpr (std::same_as<To, From>) {
    return value;
  } else if constexpr (std::same_as<To, bool>) {
    return value != From(0);
  } else if constexpr (std::is_integral_v<To> && is_float_number<From>) {
    const auto wide = static_cast<double>(value);
    // The upper limit of 64 bits is no double; the first double above it is.
    // NOLINTNEXTLINE(bugprone-integer-division): exact, the divisor is 2.
    constexpr double above = static_cast<double>(std::numeric_limits<To>::max() / 2 + 1) * 2;
    if (std::isnan(wide)) return 0;
    if (wide >= above) return std::numeric_limits<To>::max();
    if (wide <= static_cast<double>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    return static_cast<To>(wide);
  } else if constexpr (is_float_number<From>) {
    return static_cast<To>(static_cast<std::conditional_t<std::same_as<From, double>, double, float>>(value));
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace strake

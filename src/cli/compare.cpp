// SPDX-License-Identifier: Apache-2.0
#include "cli/compare.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace strake::cli {

namespace {

// Floats in order: neighbouring floats have neighbouring numbers, across zero too.
template <class T>
std::int64_t place_of(T value) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  const auto bits = std::bit_cast<Bits>(value);
  return bits < 0 ? std::int64_t{std::numeric_limits<Bits>::min()} - bits : bits;
}

// Floats between two of them; the count of those between two far doubles may not fit and is cut off.
template <class T>
std::int64_t ulps_between(T a, T b) {
  const std::int64_t x = place_of(a);
  const std::int64_t y = place_of(b);
  const std::uint64_t apart = x > y ? static_cast<std::uint64_t>(x) - static_cast<std::uint64_t>(y)
                                    : static_cast<std::uint64_t>(y) - static_cast<std::uint64_t>(x);
  return static_cast<std::int64_t>(std::min<std::uint64_t>(apart, std::numeric_limits<std::int64_t>::max()));
}

template <class T>
void compare_element(T a, T b, const Tolerance& tolerance, Difference& difference) {
  const auto x = static_cast<double>(a);
  const auto y = static_cast<double>(b);
  if (std::isnan(x) && std::isnan(y)) ++difference.nan_on_both;
  if (std::memcmp(&a, &b, sizeof(T)) == 0) return;
  ++difference.differing_bits;
  if (std::isnan(x) && std::isnan(y)) return;
  if (std::isnan(x) || std::isnan(y)) {
    ++difference.nan_on_one_side;
    difference.within = false;
    return;
  }
  // Integers beyond 2^53 that differ may be one double.
  const double apart = std::max(std::abs(x - y), std::is_integral_v<T> ? 1.0 : 0.0);
  difference.largest_absolute = std::max(difference.largest_absolute, apart);
  difference.mean_absolute += apart;  // their sum at first
  if (y != 0) difference.largest_relative = std::max(difference.largest_relative, apart / std::abs(y));
  if constexpr (is_float_number<T>) {
    using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
    difference.largest_ulp = std::max(difference.largest_ulp, ulps_between(static_cast<Wide>(a), static_cast<Wide>(b)));
  }
  // Written so that infinities on both sides are outside where they differ.
  if (!(apart <= tolerance.relative * std::abs(y) + tolerance.absolute)) difference.within = false;
}

}  // namespace

Difference compare(const HostTensor& a, const HostTensor& b, const Tolerance& tolerance) {
  Difference difference{.elements = a.size()};
  if (a.shape != b.shape || a.type != b.type) {  // sizes known only at run time may differ
    difference.elements = std::max(a.size(), b.size());
    difference.differing_bits = difference.elements;
    difference.within = false;
    return difference;
  }
  with_number(a.type, [&]<class T>(std::type_identity<T>) {
    const auto ours = a.view<T>();
    const auto theirs = b.view<T>();
    double magnitude = 0;
    for (std::size_t i = 0; i < theirs.size(); ++i)
      if (const auto y = static_cast<double>(theirs[i]); std::isfinite(y)) magnitude = std::max(magnitude, std::abs(y));
    const Tolerance all{.absolute = tolerance.absolute + tolerance.magnitude * magnitude,
                        .relative = tolerance.relative};
    for (std::size_t i = 0; i < ours.size(); ++i) compare_element<T>(ours[i], theirs[i], all, difference);
    if (magnitude > 0) difference.of_magnitude = difference.largest_absolute / magnitude;
    const std::int64_t numbers = difference.elements - difference.nan_on_one_side - difference.nan_on_both;
    if (numbers > 0) difference.mean_absolute /= static_cast<double>(numbers);
  });
  return difference;
}

}  // namespace strake::cli

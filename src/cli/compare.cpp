// SPDX-License-Identifier: Apache-2.0
#include "cli/compare.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include "core/half.hpp"

namespace strake::cli {

namespace {

float value_at(const HostTensor& tensor, std::size_t i) {
  if (tensor.type == ElementType::f16)
    return half_to_float(reinterpret_cast<const std::uint16_t*>(tensor.data.data())[i]);
  return tensor.data.floats()[i];
}

// Floats in order: neighbouring floats have neighbouring numbers, across zero too.
std::int64_t place_of(float value) {
  const auto bits = std::bit_cast<std::int32_t>(value);
  return bits < 0 ? std::int64_t{std::numeric_limits<std::int32_t>::min()} - bits : bits;
}

}  // namespace

Difference compare(const HostTensor& a, const HostTensor& b, const Tolerance& tolerance) {
  ensure(a.shape == b.shape && a.type == b.type, "tensors that are compared have one shape and type");
  Difference difference{.elements = volume(a.shape)};
  for (std::size_t i = 0; i < static_cast<std::size_t>(difference.elements); ++i) {
    const float x = value_at(a, i);
    const float y = value_at(b, i);
    if (std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y)) continue;
    ++difference.differing_bits;
    if (std::isnan(x) && std::isnan(y)) continue;
    const double apart = std::abs(static_cast<double>(x) - static_cast<double>(y));
    difference.largest_absolute = std::max(difference.largest_absolute, apart);
    if (y != 0) difference.largest_relative = std::max(difference.largest_relative, apart / std::abs(double{y}));
    difference.largest_ulp = std::max(difference.largest_ulp, std::abs(place_of(x) - place_of(y)));
    // Written so that a NaN on one side only is outside.
    if (!(apart <= tolerance.relative * std::abs(double{y}) + tolerance.absolute)) difference.within = false;
  }
  return difference;
}

}  // namespace strake::cli

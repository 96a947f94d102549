// SPDX-License-Identifier: Apache-2.0
#include "conformance/agreement.hpp"

#include <cmath>
#include <sstream>

#include "core/half.hpp"

namespace strake::conformance {

namespace {

struct Tolerance {
  double relative = 0;
  double absolute = 0;
};

Tolerance tolerance_of(ElementType type) {
  switch (type) {
    case ElementType::f32:
    case ElementType::f64:
      return {1e-3, 1e-7};
    case ElementType::f16:  // steps of 2^-11 of the value; the smallest is 6e-8
      return {5e-3, 1e-4};
    case ElementType::bf16:  // steps of 2^-8
      return {2e-2, 1e-4};
    default:
      return {};
  }
}

template <class T>
double number(ElementType type, T value) {
  if constexpr (std::is_same_v<T, std::uint16_t>) {
    if (type == ElementType::f16) return half_to_float(value);
    if (type == ElementType::bf16) return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
  }
  return static_cast<double>(value);
}

bool agree(double got, double expected, const Tolerance& tolerance) {
  if (std::isnan(got) || std::isnan(expected)) return std::isnan(got) && std::isnan(expected);
  if (std::isinf(got) || std::isinf(expected)) return got == expected;
  return std::abs(got - expected) <= tolerance.absolute + tolerance.relative * std::abs(expected);
}

std::string kind(const HostTensor& tensor) {
  return std::string(to_string(tensor.type)) + " " + to_string(tensor.shape);
}

template <class T>
std::string differing(const HostTensor& got, const HostTensor& expected) {
  const Tolerance tolerance = tolerance_of(got.type);
  const auto n = static_cast<std::size_t>(volume(got.shape));
  const auto* ours = reinterpret_cast<const T*>(got.data.data());
  const auto* theirs = reinterpret_cast<const T*>(expected.data.data());
  std::size_t n_differing = 0;
  std::ostringstream text;
  for (std::size_t i = 0; i < n; ++i) {
    // 64-bit integers do not fit a double.
    const bool same = ours[i] == theirs[i];
    const double a = number(got.type, ours[i]);
    const double b = number(got.type, theirs[i]);
    if (same || (is_float(got.type) && agree(a, b, tolerance))) continue;
    if (n_differing++ == 0) text << "element " << i << " is " << a << " instead of " << b;
  }
  if (n_differing == 0) return "";
  text << ", and " << n_differing << " of " << n << " differ";
  return text.str();
}

}  // namespace

HostTensor as_declared(HostTensor tensor, ElementType type) {
  if (type == ElementType::bf16 && tensor.type == ElementType::u16) tensor.type = type;
  return tensor;
}

std::string disagreement(const HostTensor& got, const HostTensor& file) {
  const HostTensor expected = as_declared(file, got.type);
  if (got.type != expected.type || got.shape != expected.shape) return kind(got) + " instead of " + kind(expected);
  return with_type(got.type, [&]<class T>(std::type_identity<T>) { return differing<T>(got, expected); });
}

}  // namespace strake::conformance

// SPDX-License-Identifier: Apache-2.0
// Comparisons, logic and choices.

#include <cmath>
#include <concepts>
#include <functional>

#include "kernels/pointwise_loops.hpp"

namespace strake::kernels {

namespace {

struct IsNan {
  template <class T>
  bool operator()(T x) const {
    return std::isnan(x);
  }
};

struct IsInf {
  template <class T>
  bool operator()(T x) const {
    return std::isinf(x);
  }
};

struct IsPositiveInf {
  template <class T>
  bool operator()(T x) const {
    return std::isinf(x) && x > 0;
  }
};

struct IsNegativeInf {
  template <class T>
  bool operator()(T x) const {
    return std::isinf(x) && x < 0;
  }
};

struct Where {
  template <class T>
  T operator()(bool condition, T x, T y) const {
    return condition ? x : y;
  }
};

struct Xor {
  bool operator()(bool x, bool y) const { return x != y; }
};

PointwiseLoop boolean_loop(PointwiseKind kind) {
  switch (kind) {
    case PointwiseKind::logical_and:
      return binary_loop<std::logical_and<>, bool, bool, bool>;
    case PointwiseKind::logical_or:
      return binary_loop<std::logical_or<>, bool, bool, bool>;
    case PointwiseKind::logical_xor:
      return binary_loop<Xor, bool, bool, bool>;
    case PointwiseKind::logical_not:
      return unary_loop<std::logical_not<>, bool, bool>;
    default:
      return nullptr;
  }
}

template <std::floating_point T>
PointwiseLoop special_value_loop(PointwiseKind kind) {
  switch (kind) {
    case PointwiseKind::is_nan:
      return unary_loop<IsNan, bool, T>;
    case PointwiseKind::is_inf:
      return unary_loop<IsInf, bool, T>;
    case PointwiseKind::is_positive_inf:
      return unary_loop<IsPositiveInf, bool, T>;
    case PointwiseKind::is_negative_inf:
      return unary_loop<IsNegativeInf, bool, T>;
    default:
      return nullptr;
  }
}

template <class T>
PointwiseLoop loop_of(PointwiseKind kind) {
  switch (kind) {
    case PointwiseKind::equal:
      return binary_loop<std::equal_to<>, bool, T, T>;
    case PointwiseKind::less:
      return binary_loop<std::less<>, bool, T, T>;
    case PointwiseKind::less_or_equal:
      return binary_loop<std::less_equal<>, bool, T, T>;
    case PointwiseKind::greater:
      return binary_loop<std::greater<>, bool, T, T>;
    case PointwiseKind::greater_or_equal:
      return binary_loop<std::greater_equal<>, bool, T, T>;
    case PointwiseKind::where:
      return ternary_loop<Where, T, bool, T, T>;
    default:
      break;
  }
  if constexpr (std::floating_point<T>) return special_value_loop<T>(kind);
  if constexpr (std::same_as<T, bool>) return boolean_loop(kind);
  return nullptr;
}

}  // namespace

PointwiseLoop logic_loop(PointwiseKind kind, ElementType type) {
  return with_type(type, [&]<class T>(std::type_identity<T>) { return loop_of<T>(kind); });
}

}  // namespace strake::kernels

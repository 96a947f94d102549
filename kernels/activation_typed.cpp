// SPDX-License-Identifier: Apache-2.0
// Activations of doubles and integers, which few models use: the C library's functions, one cell after the other.

#include <algorithm>
#include <cmath>
#include <concepts>

#include "core/errors.hpp"
#include "kernels/pointwise_loops.hpp"

namespace strake::kernels {

namespace {

double soft_plus(double x) { return x > 40 ? x : std::log1p(std::exp(x)); }

double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

double gelu_tanh(double x) {
  constexpr double root = 0.79788456080286535588;  // sqrt(2 / pi)
  return 0.5 * x * (1 + std::tanh(root * (x + 0.044715 * x * x * x)));
}

double value_of(const Activation& f, double x) {
  const auto a = static_cast<double>(f.alpha);
  const auto b = static_cast<double>(f.beta);
  switch (f.kind) {
    case ActivationKind::relu:
      return std::max(x, 0.0);
    case ActivationKind::leaky_relu:
      return x < 0 ? a * x : x;
    case ActivationKind::clip:
      return std::min(std::max(x, a), b);
    case ActivationKind::sigmoid:
      return 1 / (1 + std::exp(-x));
    case ActivationKind::tanh:
      return std::tanh(x);
    case ActivationKind::swish:
      return x / (1 + std::exp(-a * x));
    case ActivationKind::hard_sigmoid:
      return std::min(std::max(a * x + b, 0.0), 1.0);
    case ActivationKind::hard_swish:
      return x * std::min(std::max(x + 3, 0.0), 6.0) / 6;
    case ActivationKind::elu:
      return x < 0 ? a * std::expm1(x) : x;
    case ActivationKind::softplus:
      return soft_plus(x);
    case ActivationKind::exp:
      return std::exp(x);
    case ActivationKind::log:
      return std::log(x);
    case ActivationKind::sqrt:
      return std::sqrt(x);
    case ActivationKind::abs:
      return std::abs(x);
    case ActivationKind::neg:
      return -x;
    case ActivationKind::reciprocal:
      return 1 / x;
    case ActivationKind::floor:
      return std::floor(x);
    case ActivationKind::ceil:
      return std::ceil(x);
    case ActivationKind::linear:
      return a * x + b;
    case ActivationKind::round:
      return std::nearbyint(x);
    case ActivationKind::sign:
      return sign_of(x);
    case ActivationKind::erf:
      return std::erf(x);
    case ActivationKind::gelu:
      return 0.5 * x * (1 + std::erf(x * 0.70710678118654752440));
    case ActivationKind::gelu_tanh:
      return gelu_tanh(x);
    case ActivationKind::mish:
      return x * std::tanh(soft_plus(x));
    case ActivationKind::selu:
      return b * (x > 0 ? x : a * std::expm1(x));
    case ActivationKind::celu:
      return std::max(x, 0.0) + std::min(0.0, a * std::expm1(x / a));
    case ActivationKind::softsign:
      return x / (1 + std::abs(x));
    case ActivationKind::thresholded_relu:
      return x > a ? x : 0;
    case ActivationKind::shrink:
      return x < -a ? x + b : x > a ? x - b : 0;
    case ActivationKind::sin:
      return std::sin(x);
    case ActivationKind::cos:
      return std::cos(x);
    case ActivationKind::tan:
      return std::tan(x);
    case ActivationKind::asin:
      return std::asin(x);
    case ActivationKind::acos:
      return std::acos(x);
    case ActivationKind::atan:
      return std::atan(x);
    case ActivationKind::sinh:
      return std::sinh(x);
    case ActivationKind::cosh:
      return std::cosh(x);
    case ActivationKind::asinh:
      return std::asinh(x);
    case ActivationKind::acosh:
      return std::acosh(x);
    case ActivationKind::atanh:
      return std::atanh(x);
  }
  throw Bug("internal error: an activation has a kind");
}

template <std::integral T>
T value_of(ActivationKind kind, T x) {
  const bool negative = x < 0;
  // Through unsigned numbers: the least integer is its own negative.
  const auto minus = static_cast<T>(std::uint64_t{0} - static_cast<std::uint64_t>(x));
  switch (kind) {
    case ActivationKind::relu:
      return negative ? T{0} : x;
    case ActivationKind::abs:
      return negative ? minus : x;
    case ActivationKind::neg:
      return minus;
    case ActivationKind::sign:
      return static_cast<T>(static_cast<int>(x > 0) - static_cast<int>(negative));
    default:
      throw Bug("internal error: shape inference lets four activations of integers pass");
  }
}

}  // namespace

void apply_typed(const Activation& function, ElementType type, const PointwisePiece& piece) {
  with_type(type, [&]<class T>(std::type_identity<T>) {
    const T* in = operand<T>(piece, 0);
    T* out = reinterpret_cast<T*>(piece.dst);
    for (Index i = 0; i < piece.n; ++i) {
      const T x = in[i * piece.src_step[0]];
      if constexpr (std::floating_point<T>)
        out[i * piece.dst_step] = static_cast<T>(value_of(function, static_cast<double>(x)));
      else if constexpr (is_number<T>)
        out[i * piece.dst_step] = value_of(function.kind, x);
    }
  });
}

}  // namespace strake::kernels

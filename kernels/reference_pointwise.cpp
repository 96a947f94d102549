// SPDX-License-Identifier: Apache-2.0
// The reference of operators that compute or take one cell of each input.

#include <algorithm>
#include <cmath>

#include "core/number_types.hpp"
#include "kernels/reference_scope.hpp"

namespace strake::kernels {

double activated(const Activation& f, double x) {
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
      return x < 0 ? a * (std::exp(x) - 1) : x;
    case ActivationKind::softplus:
      return std::log1p(std::exp(x));
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
      return x > 0 ? 1 : x < 0 ? -1 : x;
    case ActivationKind::erf:
      return std::erf(x);
    case ActivationKind::gelu:
      return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
    case ActivationKind::gelu_tanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
    case ActivationKind::mish:
      return x * std::tanh(std::log1p(std::exp(x)));
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
  return 0;
}

namespace {

double combined(BinaryKind kind, double x, double y) {
  switch (kind) {
    case BinaryKind::add:
      return x + y;
    case BinaryKind::sub:
      return x - y;
    case BinaryKind::mul:
      return x * y;
    case BinaryKind::div:
      return x / y;
    case BinaryKind::max:
      return std::max(x, y);
    case BinaryKind::min:
      return std::min(x, y);
    case BinaryKind::pow:
      return std::pow(x, y);
  }
  return 0;
}

// A whole number as a type of integers that wraps around has it.
long double wrapped(ElementType type, long double value) {
  if (is_float(type) || type == ElementType::boolean) return value;
  const long double range = std::pow(2.0L, static_cast<long double>(8 * size_of(type)));
  const long double rest = value - std::floor(value / range) * range;
  const bool with_sign =
      type == ElementType::i8 || type == ElementType::i16 || type == ElementType::i32 || type == ElementType::i64;
  return with_sign && rest >= range / 2 ? rest - range : rest;
}

enum class Direction : unsigned char { left, right };

long double shifted(ElementType type, long double x, long double places, Direction direction) {
  if (places < 0 || places >= static_cast<long double>(8 * size_of(type))) return 0;
  return std::floor(x * std::pow(2.0L, direction == Direction::left ? places : -places));
}

long double python_mod(long double x, long double y) {
  const long double rest = std::fmod(x, y);
  return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

long double of_bits(PointwiseKind kind, long double x, long double y) {
  // Two's complement on both sides, so that signed and unsigned numbers are alike.
  const auto bits = [](long double value) {
    return value < 0 ? static_cast<std::uint64_t>(static_cast<std::int64_t>(value)) : static_cast<std::uint64_t>(value);
  };
  const std::uint64_t a = bits(x);
  const std::uint64_t b = bits(y);
  const std::uint64_t both = kind == PointwiseKind::bit_and ? a & b : kind == PointwiseKind::bit_or ? a | b : a ^ b;
  return static_cast<long double>(both);
}

long double cast_to(ElementType type, long double x) {
  if (type == ElementType::f16) return half_to_float(float_to_half(static_cast<float>(x)));
  if (type == ElementType::bf16) return bfloat_to_float(float_to_bfloat(static_cast<float>(x)));
  return x;
}

// Floats become integers towards 0 and stay within the range; integers wrap around.
long double cast_to_integer(ElementType from, ElementType to, long double x) {
  if (!is_float(from)) return wrapped(to, x);
  if (std::isnan(x)) return 0;
  return with_type(to, [x]<class T>(std::type_identity<T>) {
    return std::clamp(std::trunc(x), static_cast<long double>(std::numeric_limits<T>::min()),
                      static_cast<long double>(std::numeric_limits<T>::max()));
  });
}

long double cast(ElementType from, ElementType to, long double x) {
  if (to == ElementType::boolean) return x != 0 ? 1 : 0;
  return is_float(to) ? cast_to(to, x) : cast_to_integer(from, to, x);
}

long double of_numbers(PointwiseKind kind, ElementType type, long double x, long double y) {
  const bool whole_numbers = !is_float(type);
  switch (kind) {
    case PointwiseKind::add:
      return x + y;
    case PointwiseKind::sub:
      return x - y;
    case PointwiseKind::mul:
      return x * y;
    case PointwiseKind::div:
      if (whole_numbers) return y == 0 ? 0 : std::trunc(x / y);
      return x / y;
    case PointwiseKind::mod:
      return whole_numbers && y == 0 ? 0 : python_mod(x, y);
    case PointwiseKind::fmod:
      return whole_numbers && y == 0 ? 0 : std::fmod(x, y);
    case PointwiseKind::max:
      return std::max(x, y);
    case PointwiseKind::min:
      return std::min(x, y);
    case PointwiseKind::prelu:
      return x < 0 ? x * y : x;
    case PointwiseKind::pow:
      return whole_numbers ? std::trunc(std::pow(x, y)) : std::pow(x, y);
    case PointwiseKind::shift_left:
      return shifted(type, x, y, Direction::left);
    case PointwiseKind::shift_right:
      return shifted(type, x, y, Direction::right);
    default:
      return of_bits(kind, x, y);
  }
}

bool answer(PointwiseKind kind, long double x, long double y) {
  switch (kind) {
    case PointwiseKind::logical_and:
      return x != 0 && y != 0;
    case PointwiseKind::logical_or:
      return x != 0 || y != 0;
    case PointwiseKind::logical_xor:
      return (x != 0) != (y != 0);
    case PointwiseKind::equal:
      return x == y;
    case PointwiseKind::less:
      return x < y;
    case PointwiseKind::less_or_equal:
      return x <= y;
    case PointwiseKind::greater:
      return x > y;
    case PointwiseKind::greater_or_equal:
      return x >= y;
    case PointwiseKind::logical_not:
      return x == 0;
    case PointwiseKind::is_nan:
      return std::isnan(x);
    case PointwiseKind::is_inf:
      return std::isinf(x);
    case PointwiseKind::is_positive_inf:
      return std::isinf(x) && x > 0;
    default:
      return std::isinf(x) && x < 0;
  }
}

long double pointwise(const Scope& s, const Pointwise& op, const Indices& o) {
  const ElementType type = s.sources.front()->type;
  const long double x = s.broadcast_number(0, o);
  switch (op.kind) {
    case PointwiseKind::where:
      return s.broadcast_number(x != 0 ? 1 : 2, o);
    case PointwiseKind::clip:
      return std::min(std::max(x, s.broadcast_number(1, o)), s.broadcast_number(2, o));
    case PointwiseKind::cast:
      return cast(type, op.to, x);
    case PointwiseKind::quantize:
      return quantized(s.op.type, static_cast<float>(x), static_cast<float>(s.broadcast_number(1, o)),
                       static_cast<float>(s.broadcast_number(2, o)));
    case PointwiseKind::dequantize:
      return static_cast<float>(x - s.broadcast_number(2, o)) * static_cast<float>(s.broadcast_number(1, o));
    case PointwiseKind::bit_not:
      return wrapped(type, -x - 1);
    default:
      break;
  }
  const long double y = arity(op.kind) > 1 ? s.broadcast_number(1, o) : 0;
  if (s.op.type == ElementType::boolean && op.kind > PointwiseKind::bit_xor) return answer(op.kind, x, y) ? 1 : 0;
  return wrapped(type, of_numbers(op.kind, type, x, y));
}

long double tiled(const Scope& s, Indices o) {
  for (std::size_t axis = 0; axis < o.size(); ++axis) o[axis] %= s.shape(0)[axis];
  return s.number(0, o);
}

long double triangular(const Scope& s, const Trilu& op, const Indices& o) {
  const long double beyond =
      static_cast<long double>(o.back() - o[o.size() - 2]) - static_cast<long double>(op.diagonal);
  const bool kept = op.part == Triangle::upper ? beyond >= 0 : beyond <= 0;
  return kept ? s.number(0, o) : 0;
}

}  // namespace

std::optional<long double> pointwise_at(const Scope& s, const Indices& o) {
  if (const auto* elementwise = as<Elementwise>(s.op)) {
    const long double x = s.number(0, o);
    return wrapped(s.op.type, activated(elementwise->function, static_cast<double>(x)));
  }
  if (const auto* binary = as<Binary>(s.op)) {
    const auto x = static_cast<double>(s.broadcast_number(0, o));
    const auto y = static_cast<double>(s.broadcast_number(1, o));
    return s.finished(binary->post_ops, o, combined(binary->kind, x, y));
  }
  if (const auto* op = as<Pointwise>(s.op)) return pointwise(s, *op, o);
  if (as<Expand>(s.op) != nullptr) return s.broadcast_number(0, o);
  if (as<Tile>(s.op) != nullptr) return tiled(s, o);
  if (const auto* trilu = as<Trilu>(s.op)) return triangular(s, *trilu, o);
  return std::nullopt;
}

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
// Functions of two or more elements, broadcast as in numpy.

#include <algorithm>
#include <cmath>
#include <concepts>

#include "onnx/evaluate/loops.hpp"

namespace strake::onnx_import {

namespace {

/// Types that a function takes.
enum class Takes : unsigned char { numbers, integers, booleans, all };

template <class T>
constexpr bool is_taken(Takes takes) {
  constexpr bool boolean = std::same_as<T, bool>;
  switch (takes) {
    case Takes::numbers:
      return !boolean;
    case Takes::integers:
      return std::is_integral_v<T> && !boolean;
    case Takes::booleans:
      return boolean;
    case Takes::all:
      break;
  }
  return true;
}

// y[...] = f(a[...], b[...]) where both have type `T` and y elements of type `To`.
template <class T, class To, class F>
HostTensor broadcast(const Call& call, const HostTensor& a, const HostTensor& b, const F& f) {
  const Shape shape = broadcast_shape(call, a.shape, b.shape);
  HostTensor y = call.make(element_type_of<To>(), shape);
  const auto from_a = a.view<T>().data();
  const auto from_b = b.view<T>().data();
  To* to = y.view<To>().data();
  for_each_cell<2>(shape, {broadcast_strides(a.shape, shape), broadcast_strides(b.shape, shape)},
                   [&](Index i, Index j) {
                     *to++ = static_cast<To>(f(static_cast<Wide<T>>(from_a[i]), static_cast<Wide<T>>(from_b[j])));
                   });
  return y;
}

// Any number of inputs of one type, two at a time.
template <class F, Takes takes>
HostTensor chained(const Call& call) {
  HostTensor y = call.input(0);
  for (int i = 1; i < call.n_inputs(); ++i) {
    call.expect_type(i, y.type);
    y = with_number(y.type, [&]<class T>(std::type_identity<T>) {
      if constexpr (is_taken<T>(takes))
        return broadcast<T, T>(call, y, call.input(i), F{});
      else
        return throw call.wrong_type(i), HostTensor{};
    });
  }
  return y;
}

template <class F, Takes takes = Takes::numbers>
Tensors many(const Call& call) {
  return {chained<F, takes>(call)};
}

void expect_two(const Call& call) {
  if (call.n_inputs() != 2) throw call.error("has " + std::to_string(call.n_inputs()) + " inputs, expected 2");
}

template <class F, Takes takes = Takes::numbers>
Tensors binary(const Call& call) {
  expect_two(call);
  return {chained<F, takes>(call)};
}

template <class F, Takes takes = Takes::numbers>
Tensors compare(const Call& call) {
  expect_two(call);
  call.expect_type(1, call.input(0).type);
  return {with_number(call.input(0).type, [&]<class T>(std::type_identity<T>) {
    if constexpr (is_taken<T>(takes))
      return broadcast<T, bool>(call, call.input(0), call.input(1), F{});
    else
      return throw call.wrong_type(0), HostTensor{};
  })};
}

#define STRAKE_FUNCTION(Name, expression) \
  struct Name {                           \
    template <class T>                    \
    auto operator()(T a, T b) const {     \
      return expression;                  \
    }                                     \
  }
STRAKE_FUNCTION(Add, added(a, b));
STRAKE_FUNCTION(Sub, subtracted(a, b));
STRAKE_FUNCTION(Mul, multiplied(a, b));
STRAKE_FUNCTION(Div, divided(a, b));
STRAKE_FUNCTION(Max, larger(a, b));
STRAKE_FUNCTION(Min, smaller(a, b));
STRAKE_FUNCTION(BitwiseAnd, static_cast<T>(a& b));
STRAKE_FUNCTION(BitwiseOr, static_cast<T>(a | b));
STRAKE_FUNCTION(BitwiseXor, static_cast<T>(a ^ b));
STRAKE_FUNCTION(Equal, a == b);
STRAKE_FUNCTION(Greater, a > b);
STRAKE_FUNCTION(GreaterOrEqual, a >= b);
STRAKE_FUNCTION(Less, a < b);
STRAKE_FUNCTION(LessOrEqual, a <= b);
STRAKE_FUNCTION(And, a&& b);
STRAKE_FUNCTION(Or, a || b);
STRAKE_FUNCTION(Xor, a != b);
#undef STRAKE_FUNCTION

// The sign of the divisor for integers, that of the dividend with fmod.
template <class T>
T remainder(T a, T b, bool fmod) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::fmod(a, b);
  } else {
    if (b == T(0)) return T(0);
    if constexpr (std::is_signed_v<T>)
      if (b == T(-1)) return T(0);
    const T rest = static_cast<T>(a % b);
    return rest != 0 && !fmod && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
  }
}

Tensors mod(const Call& call) {
  expect_two(call);
  const bool fmod = call.node().integer("fmod", 0) != 0;
  const HostTensor& a = call.input(0);
  call.expect_type(1, a.type);
  if (is_float(a.type) && !fmod) throw call.error("floats need fmod = 1");
  return {with_number(a.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (std::same_as<T, bool>)
      return throw call.wrong_type(0), HostTensor{};
    else
      return broadcast<T, T>(call, a, call.input(1),
                             [fmod](Wide<T> x, Wide<T> y) { return remainder<Wide<T>>(x, y, fmod); });
  })};
}

// Integers wrap around; to a negative power they are 0 unless they are 1 or -1.
template <class T>
T integer_power(T base, T exponent) {
  if (exponent < T(0)) {
    if (base == T(1)) return T(1);
    if constexpr (std::is_signed_v<T>)
      if (base == T(-1)) return exponent % 2 == 0 ? T(1) : T(-1);
    return T(0);
  }
  T result = 1;
  for (; exponent > T(0); exponent = static_cast<T>(exponent / 2), base = multiplied(base, base))
    if (exponent % 2 != 0) result = multiplied(result, base);
  return result;
}

// The result has the type of the base, whatever that of the exponent.
Tensors pow(const Call& call) {
  expect_two(call);
  const HostTensor& base = call.input(0);
  const HostTensor& exponent = call.input(1);
  if (base.type == ElementType::boolean) throw call.wrong_type(0);
  if (exponent.type == ElementType::boolean) throw call.wrong_type(1);
  if (!is_float(base.type) && !is_float(exponent.type)) {
    const HostTensor wide = broadcast<std::int64_t, std::int64_t>(
        call, converted(base, ElementType::i64), converted(exponent, ElementType::i64), integer_power<std::int64_t>);
    return {converted(wide, base.type)};
  }
  const auto by_library = [](auto x, auto y) { return std::pow(x, y); };
  if (base.type == ElementType::f32 && exponent.type == ElementType::f32)
    return {broadcast<float, float>(call, base, exponent, by_library)};
  const HostTensor wide = broadcast<double, double>(call, converted(base, ElementType::f64),
                                                    converted(exponent, ElementType::f64), by_library);
  return {converted(wide, base.type)};
}

Tensors bit_shift(const Call& call) {
  expect_two(call);
  const std::string direction = call.node().text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") throw call.error("direction is '" + direction + "'");
  const bool left = direction == "LEFT";
  const HostTensor& a = call.input(0);
  call.expect_type(1, a.type);
  return {with_number(a.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (std::is_unsigned_v<T> && !std::same_as<T, bool>)
      return broadcast<T, T>(call, a, call.input(1), [left](T value, T by) {
        if (by >= 8 * sizeof(T)) return T(0);
        const auto wide = static_cast<std::uint64_t>(value);
        return static_cast<T>(left ? wide << by : wide >> by);
      });
    else
      return throw call.wrong_type(0), HostTensor{};
  })};
}

Tensors mean(const Call& call) {
  HostTensor sum = chained<Add, Takes::numbers>(call);
  HostTensor y = call.make(sum.type, sum.shape);
  with_number(sum.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (is_float_number<T>) {
      const auto n = static_cast<Wide<T>>(call.n_inputs());
      const auto from = sum.view<T>();
      std::transform(from.begin(), from.end(), y.view<T>().begin(),
                     [n](T value) { return static_cast<T>(static_cast<Wide<T>>(value) / n); });
    } else {
      throw call.wrong_type(0);
    }
  });
  return {y};
}

// The slope broadcasts to the input only.
Tensors prelu(const Call& call) {
  expect_two(call);
  const HostTensor& x = call.input(0);
  call.expect_type(1, x.type);
  if (broadcast_shape(call, x.shape, call.input(1).shape) != x.shape)
    throw call.error("the slope " + to_string(call.input(1).shape) + " does not fit the input " + to_string(x.shape));
  return {with_number(x.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (std::same_as<T, bool>)
      return throw call.wrong_type(0), HostTensor{};
    else
      return broadcast<T, T>(call, x, call.input(1), [](Wide<T> value, Wide<T> slope) {
        return value < Wide<T>(0) ? multiplied(value, slope) : value;
      });
  })};
}

Tensors where(const Call& call) {
  const HostTensor& condition = call.input(0);
  const HostTensor& a = call.input(1);
  const HostTensor& b = call.input(2);
  call.expect_type(0, ElementType::boolean);
  call.expect_type(2, a.type);
  const Shape shape = broadcast_shape(call, condition.shape, broadcast_shape(call, a.shape, b.shape));
  HostTensor y = call.make(a.type, shape);
  with_type(a.type, [&]<class T>(std::type_identity<T>) {
    const bool* first = condition.view<bool>().data();
    const T* from_a = a.view<T>().data();
    const T* from_b = b.view<T>().data();
    T* to = y.view<T>().data();
    for_each_cell<3>(shape,
                     {broadcast_strides(condition.shape, shape), broadcast_strides(a.shape, shape),
                      broadcast_strides(b.shape, shape)},
                     [&](Index c, Index i, Index j) { *to++ = first[c] ? from_a[i] : from_b[j]; });
  });
  return {y};
}

}  // namespace

const Evaluations& binary_evaluations() {
  static const Evaluations table = {{"Add", binary<Add>},
                                    {"And", compare<And, Takes::booleans>},
                                    {"BitShift", bit_shift},
                                    {"BitwiseAnd", binary<BitwiseAnd, Takes::integers>},
                                    {"BitwiseOr", binary<BitwiseOr, Takes::integers>},
                                    {"BitwiseXor", binary<BitwiseXor, Takes::integers>},
                                    {"Div", binary<Div>},
                                    {"Equal", compare<Equal, Takes::all>},
                                    {"Greater", compare<Greater>},
                                    {"GreaterOrEqual", compare<GreaterOrEqual>},
                                    {"Less", compare<Less>},
                                    {"LessOrEqual", compare<LessOrEqual>},
                                    {"Max", many<Max>},
                                    {"Mean", mean},
                                    {"Min", many<Min>},
                                    {"Mod", mod},
                                    {"Mul", binary<Mul>},
                                    {"Or", compare<Or, Takes::booleans>},
                                    {"PRelu", prelu},
                                    {"Pow", pow},
                                    {"Sub", binary<Sub>},
                                    {"Sum", many<Add>},
                                    {"Where", where},
                                    {"Xor", compare<Xor, Takes::booleans>}};
  return table;
}

}  // namespace strake::onnx_import

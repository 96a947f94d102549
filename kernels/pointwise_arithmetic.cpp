// SPDX-License-Identifier: Apache-2.0
// Arithmetic and bits. Nothing here overflows a signed integer or divides one by 0: the results are those of numpy.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

#include "kernels/pointwise_loops.hpp"

namespace strake::kernels {

namespace {

// Unsigned, and never promoted to a signed type by arithmetic.
template <std::integral T>
using Wrapping = std::conditional_t<(sizeof(T) < 4), std::uint32_t, std::make_unsigned_t<T>>;

// True where x / y has no value or not one of this type.
template <std::integral T>
bool is_odd_quotient(T x, T y) {
  return y == 0 || (std::is_signed_v<T> && y == static_cast<T>(-1) && x == std::numeric_limits<T>::min());
}

// NOLINTBEGIN(bugprone-macro-parentheses): `sign` is an operator.
#define STRAKE_WRAPPING(Name, sign)                                                          \
  struct Name {                                                                              \
    template <class T>                                                                       \
    T operator()(T x, T y) const {                                                           \
      if constexpr (std::integral<T>)                                                        \
        return static_cast<T>(static_cast<Wrapping<T>>(x) sign static_cast<Wrapping<T>>(y)); \
      else                                                                                   \
        return x sign y;                                                                     \
    }                                                                                        \
  };
// NOLINTEND(bugprone-macro-parentheses)

STRAKE_WRAPPING(Add, +)
STRAKE_WRAPPING(Sub, -)
STRAKE_WRAPPING(Mul, *)

#undef STRAKE_WRAPPING

struct Div {
  template <class T>
  T operator()(T x, T y) const {
    if constexpr (std::integral<T>)
      // The one quotient that overflows wraps around to itself.
      return is_odd_quotient(x, y) ? (y == 0 ? T{0} : x) : static_cast<T>(x / y);
    else
      return x / y;
  }
};

struct Fmod {
  template <class T>
  T operator()(T x, T y) const {
    if constexpr (std::integral<T>)
      return is_odd_quotient(x, y) ? T{0} : static_cast<T>(x % y);
    else
      return std::fmod(x, y);
  }
};

struct Mod {
  template <class T>
  T operator()(T x, T y) const {
    const T rest = Fmod{}(x, y);
    if constexpr (std::unsigned_integral<T>)
      return rest;
    else
      return rest != 0 && (rest < 0) != (y < 0) ? static_cast<T>(rest + y) : rest;
  }
};

// A NaN wins over a number, as in numpy.
struct Max {
  template <class T>
  T operator()(T x, T y) const {
    return x > y || x != x ? x : y;
  }
};

struct Min {
  template <class T>
  T operator()(T x, T y) const {
    return x < y || x != x ? x : y;
  }
};

struct Prelu {
  template <class T>
  T operator()(T x, T slope) const {
    return x < 0 ? Mul{}(x, slope) : x;
  }
};

template <std::integral T>
T integer_power(T base, std::uint64_t exponent) {
  // NOLINTNEXTLINE(bugprone-signed-char-misuse): powers of integers wrap.
  auto square = static_cast<Wrapping<T>>(base);
  Wrapping<T> power = 1;
  for (; exponent != 0; exponent >>= 1U, square *= square)
    if ((exponent & 1U) != 0) power *= square;
  return static_cast<T>(power);
}

// The nearest value of an integer type below, as a cast; see pointwise_cast.cpp for whole tensors.
template <std::integral T>
T truncated(double value) {
  if (!(value > static_cast<double>(std::numeric_limits<T>::min())))
    return value != value ? T{0} : std::numeric_limits<T>::min();
  if (value >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}

struct Pow {
  template <class T, class E>
  T operator()(T base, E exponent) const {
    if constexpr (std::integral<T> && std::integral<E>) {
      if (exponent >= 0) return integer_power(base, static_cast<std::uint64_t>(exponent));
      if (base == 1) return 1;
      const bool minus_one = std::is_signed_v<T> && base == static_cast<T>(-1);
      return minus_one ? integer_power(base, static_cast<std::uint64_t>(exponent) & 1U) : T{0};
    } else if constexpr (std::integral<T>) {
      return truncated<T>(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
    } else {
      return static_cast<T>(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
    }
  }
};

template <std::integral T>
constexpr bool leaves_bits(T places) {
  return places >= 0 && places < static_cast<T>(8 * sizeof(T));
}

struct ShiftLeft {
  template <std::integral T>
  T operator()(T x, T places) const {
    return leaves_bits(places) ? static_cast<T>(static_cast<Wrapping<T>>(x) << static_cast<unsigned>(places)) : T{0};
  }
};

struct ShiftRight {
  template <std::integral T>
  T operator()(T x, T places) const {
    return leaves_bits(places) ? static_cast<T>(x >> static_cast<unsigned>(places)) : T{0};
  }
};

#define STRAKE_BITS(Name, expression)    \
  struct Name {                          \
    template <std::integral T>           \
    T operator()(T x, T y) const {       \
      return static_cast<T>(expression); \
    }                                    \
  };

STRAKE_BITS(BitAnd, x& y)
STRAKE_BITS(BitOr, x | y)
STRAKE_BITS(BitXor, x ^ y)

#undef STRAKE_BITS

struct BitNot {
  template <std::integral T>
  T operator()(T x) const {
    return static_cast<T>(~x);
  }
};

struct Clip {
  template <class T>
  T operator()(T x, T low, T high) const {
    const T above = x < low ? low : x;
    return above > high ? high : above;
  }
};

template <class T>
PointwiseLoop bits_loop(PointwiseKind kind) {
  switch (kind) {
    case PointwiseKind::shift_left:
      return binary_loop<ShiftLeft, T, T, T>;
    case PointwiseKind::shift_right:
      return binary_loop<ShiftRight, T, T, T>;
    case PointwiseKind::bit_and:
      return binary_loop<BitAnd, T, T, T>;
    case PointwiseKind::bit_or:
      return binary_loop<BitOr, T, T, T>;
    case PointwiseKind::bit_xor:
      return binary_loop<BitXor, T, T, T>;
    case PointwiseKind::bit_not:
      return unary_loop<BitNot, T, T>;
    default:
      return nullptr;
  }
}

template <class T>
PointwiseLoop loop_of(PointwiseKind kind) {
  switch (kind) {
    case PointwiseKind::add:
      return binary_loop<Add, T, T, T>;
    case PointwiseKind::sub:
      return binary_loop<Sub, T, T, T>;
    case PointwiseKind::mul:
      return binary_loop<Mul, T, T, T>;
    case PointwiseKind::div:
      return binary_loop<Div, T, T, T>;
    case PointwiseKind::mod:
      return binary_loop<Mod, T, T, T>;
    case PointwiseKind::fmod:
      return binary_loop<Fmod, T, T, T>;
    case PointwiseKind::max:
      return binary_loop<Max, T, T, T>;
    case PointwiseKind::min:
      return binary_loop<Min, T, T, T>;
    case PointwiseKind::prelu:
      return binary_loop<Prelu, T, T, T>;
    case PointwiseKind::clip:
      return ternary_loop<Clip, T, T, T, T>;
    default:
      if constexpr (std::integral<T>) return bits_loop<T>(kind);
      return nullptr;
  }
}

}  // namespace

PointwiseLoop arithmetic_loop(PointwiseKind kind, ElementType type, ElementType exponent) {
  return with_type(type, [&]<class T>(std::type_identity<T>) -> PointwiseLoop {
    if constexpr (is_number<T>) {
      if (kind != PointwiseKind::pow) return loop_of<T>(kind);
      return with_type(exponent, []<class E>(std::type_identity<E>) -> PointwiseLoop {
        if constexpr (is_number<E>) return binary_loop<Pow, T, T, E>;
        return nullptr;
      });
    }
    return nullptr;
  });
}

}  // namespace strake::kernels

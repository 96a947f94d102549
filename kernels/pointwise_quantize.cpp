// SPDX-License-Identifier: Apache-2.0
// Floats to few bits and back.

#include <limits>

#include "kernels/pointwise_loops.hpp"

namespace strake::kernels {

namespace {

// NaN becomes the lowest number.
template <class T>
struct Quantize {
  T operator()(float x, float scale, T zero) const {
    const auto offset = static_cast<float>(zero);
    const float low = static_cast<float>(std::numeric_limits<T>::lowest()) - offset;
    const float high = static_cast<float>(std::numeric_limits<T>::max()) - offset;
    float v = x / scale;
    v = v > low ? v : low;
    v = v < high ? v : high;
    // To the nearest integer, half to even: floats above 2^23 have no fraction.
    constexpr float no_fraction = 12582912;
    return static_cast<T>(static_cast<int>((v + no_fraction) - no_fraction + offset));
  }
};

template <class T>
struct Dequantize {
  float operator()(T x, float scale, T zero) const {
    if constexpr (sizeof(T) <= 2) {
      return static_cast<float>(static_cast<int>(x) - static_cast<int>(zero)) * scale;
    } else {
      return static_cast<float>(static_cast<double>(x) - static_cast<double>(zero)) * scale;
    }
  }
};

}  // namespace

PointwiseLoop quantize_loop(PointwiseKind kind, ElementType zero) {
  return with_type(zero, [kind]<class T>(std::type_identity<T>) -> PointwiseLoop {
    constexpr bool integers = std::is_integral_v<T> && !std::is_same_v<T, bool>;
    if constexpr (integers && sizeof(T) <= 2)
      if (kind == PointwiseKind::quantize) return ternary_loop<Quantize<T>, T, float, float, T>;
    if constexpr (integers && sizeof(T) <= 4)
      if (kind == PointwiseKind::dequantize) return ternary_loop<Dequantize<T>, float, T, float, T>;
    return nullptr;
  });
}

}  // namespace strake::kernels

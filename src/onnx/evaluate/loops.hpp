// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Loops over the cells of tensors, and arithmetic that no input can make undefined.

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <type_traits>
#include <vector>

#include "core/box.hpp"
#include "core/number_types.hpp"
#include "onnx/evaluate/call.hpp"

namespace strake::onnx_import {

/// The same walk with as few axes as possible: neighbours along which all tensors keep their step become one.
template <std::size_t n>
void merge_axes(Shape& shape, std::array<std::vector<Index>, n>& strides) {
  for (std::size_t axis = shape.size(); axis-- > 1;) {
    const auto keeps_step = [&](const std::vector<Index>& of) { return of[axis - 1] == of[axis] * shape[axis]; };
    if (!std::ranges::all_of(strides, keeps_step)) continue;
    shape[axis - 1] *= shape[axis];
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
    for (std::vector<Index>& of : strides) of.erase(of.begin() + static_cast<std::ptrdiff_t>(axis) - 1);
  }
}

/// Calls body(place in the first tensor, place in the second, ...) for each cell of `shape` in row-major order, where
/// axis i moves tensor j by strides[j][i].
template <std::size_t n, class Body>
void for_each_cell(Shape shape, std::array<std::vector<Index>, n> strides, Body body,
                   std::array<Index, n> places = {}) {
  for (const Index size : shape)
    if (size == 0) return;
  merge_axes(shape, strides);
  if (shape.empty()) return std::apply(body, places);
  const std::size_t last = shape.size() - 1;
  std::vector<Index> at(shape.size(), 0);
  for (;;) {
    std::array<Index, n> inner = places;
    for (Index i = 0; i < shape[last]; ++i) {
      std::apply(body, inner);
      for (std::size_t j = 0; j < n; ++j) inner[j] += strides[j][last];
    }
    std::size_t axis = last;
    for (;;) {
      if (axis == 0) return;
      --axis;
      for (std::size_t j = 0; j < n; ++j) places[j] += strides[j][axis];
      if (++at[axis] < shape[axis]) break;
      for (std::size_t j = 0; j < n; ++j) places[j] -= strides[j][axis] * shape[axis];
      at[axis] = 0;
    }
  }
}

/// Strides of a tensor of shape `from` while one walks over `to`, to which it broadcasts.
[[nodiscard]] std::vector<Index> broadcast_strides(const Shape& from, const Shape& to);

/// The shape to which both broadcast. @throws InvalidInput naming the node
[[nodiscard]] Shape broadcast_shape(const Call& call, const Shape& a, const Shape& b);

/// Sizes before an axis, on it and behind it.
struct Around {
  Index outer = 1;
  Index size = 1;
  Index inner = 1;
};
[[nodiscard]] Around around(const Shape& shape, std::size_t axis);

/// What one computes with: 16-bit floats become float.
template <class T>
using Wide = std::conditional_t<std::same_as<T, Half> || std::same_as<T, BFloat>, float, T>;

// Integers wrap around.
template <class T>
[[nodiscard]] T added(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  else
    return a + b;
}
template <class T>
[[nodiscard]] T subtracted(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
  else
    return a - b;
}
template <class T>
[[nodiscard]] T multiplied(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  else
    return a * b;
}

/// Integers are rounded towards 0; by 0 they give 0.
template <class T>
[[nodiscard]] T divided(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == T(0)) return T(0);
    if constexpr (std::is_signed_v<T>)
      if (b == T(-1)) return subtracted(T(0), a);
    return static_cast<T>(a / b);
  } else {
    return a / b;
  }
}

template <class T>
[[nodiscard]] bool is_nan(T value) {
  if constexpr (is_float_number<T>)
    return std::isnan(static_cast<double>(value));
  else
    return false;
}

// A NaN wins, as in numpy.
template <class T>
[[nodiscard]] T larger(T a, T b) {
  return a > b || is_nan(a) ? a : b;
}
template <class T>
[[nodiscard]] T smaller(T a, T b) {
  return a < b || is_nan(a) ? a : b;
}

/// A total order in which NaNs come last.
template <class T>
[[nodiscard]] bool comes_before(T a, T b) {
  if (is_nan(a)) return false;
  return is_nan(b) || a < b;
}

/// An index of an axis of `size` cells, counted from the back where negative. @throws InvalidInput naming the node
[[nodiscard]] inline Index checked_index(const Call& call, Index index, Index size) {
  if (index < -size || index >= size)
    throw call.error("index " + std::to_string(index) + " of an axis of " + std::to_string(size));
  return index < 0 ? index + size : index;
}

}  // namespace strake::onnx_import

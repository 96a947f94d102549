// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Constant tensors while a model is imported: numbers of any type that shape arithmetic uses.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/blob.hpp"
#include "core/box.hpp"

namespace strake::onnx_import {

/// The kinds of numbers that matter to folding. Booleans and all integers are int64, all floats are float.
enum class ValueKind : unsigned char { integers, floats };

/// A constant. Floats share their memory (weights are never copied by accident); integers are few.
struct HostValue {
  ValueKind kind = ValueKind::floats;
  Shape shape;
  Blob floats;
  std::vector<std::int64_t> integers;

  static HostValue of_integers(Shape shape, std::vector<std::int64_t> values);
  static HostValue of_floats(Shape shape, const std::vector<float>& values);
  [[nodiscard]] Index size() const { return volume(shape); }
  [[nodiscard]] double at(Index i) const;
};

/// More elements than this are no shape arithmetic but an attack, or a weight that somebody fills at run time.
inline constexpr Index most_folded_elements = Index{1} << 28;

/// The value of `a` at cell `index` of a shape that it broadcasts to.
[[nodiscard]] Index broadcast_place(const Shape& a, const Shape& to, Index index);

/// Calls body(source place) for each cell of `shape` in row-major order, where axis i moves by `strides[i]`.
void for_each_place(const Shape& shape, const std::vector<Index>& strides, Index first,
                    const std::function<void(Index)>& body);

/// Steps of the axes of a dense row-major tensor.
[[nodiscard]] std::vector<Index> row_major_strides(const Shape& shape);

/// A new value whose cells are those of `source` at the places that a walk over `shape` visits.
[[nodiscard]] HostValue picked(const HostValue& source, Shape shape, const std::vector<Index>& strides, Index first);

}  // namespace strake::onnx_import

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Constant tensors while a model is imported.

#include <cstdint>
#include <vector>

#include "core/host_tensor.hpp"

namespace strake::onnx_import {

/// A constant of any type and what translations ask of it. Copying shares the memory.
struct HostValue : HostTensor {
  HostValue() = default;
  HostValue(HostTensor tensor) : HostTensor(std::move(tensor)) {}  // NOLINT(*-explicit-*): it is one

  static HostValue of_integers(Shape shape, const std::vector<std::int64_t>& values);
  static HostValue of_floats(Shape shape, const std::vector<float>& values);

  /// Element `i`; of a boolean 0 or 1. Integers beyond 2^53 are rounded.
  [[nodiscard]] double at(Index i) const { return number_at(*this, i); }
  [[nodiscard]] bool is_floats() const { return is_float(type); }
  /// All elements as float32; shares the memory where they are.
  [[nodiscard]] Blob floats() const { return converted(*this, ElementType::f32).data; }
  /// All elements as integers.
  [[nodiscard]] std::vector<std::int64_t> integers() const;
};

/// More elements than this are no shape arithmetic but an attack, or a weight that somebody fills at run time.
inline constexpr Index most_folded_elements = Index{1} << 28;

/// Steps of the axes of a dense row-major tensor.
[[nodiscard]] std::vector<Index> row_major_strides(const Shape& shape);

/// A new value of shape `shape` whose cell at (i, j, ...) is that of `source` at first + i * strides[0] + ...
[[nodiscard]] HostTensor picked(const HostTensor& source, Shape shape, const std::vector<Index>& strides, Index first);

}  // namespace strake::onnx_import

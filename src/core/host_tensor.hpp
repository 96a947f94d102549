// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A whole tensor as users and files have it: row-major, owning its memory.

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/blob.hpp"
#include "core/box.hpp"
#include "core/number_types.hpp"

namespace strake {

/// Copying shares the memory. A size may be 0.
struct HostTensor {
  ElementType type = ElementType::f32;
  Shape shape;
  Blob data;  // volume(shape) elements in row-major (NCHW) order

  [[nodiscard]] Index size() const { return volume(shape); }

  /// The elements; `T` is the number type of `type` (see `with_number`).
  template <class T>
  [[nodiscard]] std::span<const T> view() const {
    return {reinterpret_cast<const T*>(data.data()), data.size_bytes() / sizeof(T)};
  }
  template <class T>
  [[nodiscard]] std::span<T> view() {
    return {reinterpret_cast<T*>(data.data()), data.size_bytes() / sizeof(T)};
  }

  /// Uninitialised.
  [[nodiscard]] static HostTensor allocate(ElementType type, Shape shape);

  template <class T>
  [[nodiscard]] static HostTensor of(Shape shape, const std::vector<T>& values) {
    HostTensor tensor = allocate(element_type_of<T>(), std::move(shape));
    std::copy(values.begin(), values.end(), tensor.view<T>().begin());
    return tensor;
  }
};

/// Tensors by the names of a model's inputs or outputs.
using TensorMap = std::map<std::string, HostTensor>;

/// Element `i` in row-major order; integers beyond 2^53 are rounded.
[[nodiscard]] double number_at(const HostTensor& tensor, Index i);

/// The same numbers as elements of another type (`number_cast`). Shares the memory where the type is its own.
[[nodiscard]] HostTensor converted(const HostTensor& tensor, ElementType type);

}  // namespace strake

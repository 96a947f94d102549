// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Tensors as programs have them: dense, row-major (NCHW for feature maps).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "strake/errors.hpp"
#include "strake/export.h"

namespace strake {

enum class DataType : unsigned char {
  float32,
  uint8,
  float16,
  float64,
  bfloat16,
  int8,
  int16,
  int32,
  int64,
  uint16,
  uint32,
  uint64,
  boolean
};

/// Bytes of one element.
[[nodiscard]] STRAKE_API std::size_t size_of(DataType type);
/// As in messages: "float32", "bool", ...
[[nodiscard]] STRAKE_API std::string name_of(DataType type);

/// The type of a C++ number; 16-bit floats have none.
template <class T>
[[nodiscard]] constexpr DataType data_type_of() {
  if constexpr (std::is_same_v<T, float>)
    return DataType::float32;
  else if constexpr (std::is_same_v<T, double>)
    return DataType::float64;
  else if constexpr (std::is_same_v<T, bool>)
    return DataType::boolean;
  else if constexpr (std::is_same_v<T, std::uint8_t>)
    return DataType::uint8;
  else if constexpr (std::is_same_v<T, std::int8_t>)
    return DataType::int8;
  else if constexpr (std::is_same_v<T, std::uint16_t>)
    return DataType::uint16;
  else if constexpr (std::is_same_v<T, std::int16_t>)
    return DataType::int16;
  else if constexpr (std::is_same_v<T, std::uint32_t>)
    return DataType::uint32;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return DataType::int32;
  else if constexpr (std::is_same_v<T, std::uint64_t>)
    return DataType::uint64;
  else {
    static_assert(std::is_same_v<T, std::int64_t>, "no element of a tensor has this type");
    return DataType::int64;
  }
}

/// Somebody else's elements. They must stay as they are until the frame that reads them has its result.
struct TensorView {
  TensorView() = default;
  TensorView(DataType element_type, std::vector<std::int64_t> sizes, std::span<const std::byte> elements)
      : type(element_type), shape(std::move(sizes)), bytes(elements) {}
  template <class T>
  TensorView(std::span<const T> values, std::vector<std::int64_t> sizes)
      : TensorView(data_type_of<T>(), std::move(sizes), std::as_bytes(values)) {}
  template <class T>
  TensorView(const std::vector<T>& values, std::vector<std::int64_t> sizes)
      : TensorView(std::span<const T>(values), std::move(sizes)) {}

  DataType type = DataType::float32;
  std::vector<std::int64_t> shape;  // a size may be 0
  std::span<const std::byte> bytes;
};

/// Elements with an owner. Copying shares them.
class STRAKE_API Tensor {
 public:
  Tensor() = default;
  /// @param elements  as many bytes as `type` and `shape` say
  Tensor(DataType type, std::vector<std::int64_t> shape, std::shared_ptr<const std::byte> elements);

  [[nodiscard]] DataType type() const { return type_; }
  [[nodiscard]] const std::vector<std::int64_t>& shape() const { return shape_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_.get(), n_bytes_}; }

  /// The elements as numbers. @throws InvalidInput if they have another type
  template <class T>
  [[nodiscard]] std::span<const T> values() const {
    expect_type(data_type_of<T>());
    return {reinterpret_cast<const T*>(data_.get()), n_bytes_ / sizeof(T)};
  }

  operator TensorView() const { return {type_, shape_, bytes()}; }  // NOLINT(*-explicit-*): a tensor can be looked at

 private:
  void expect_type(DataType type) const;

  DataType type_ = DataType::float32;
  std::vector<std::int64_t> shape_;
  std::shared_ptr<const std::byte> data_;
  std::size_t n_bytes_ = 0;
};

}  // namespace strake

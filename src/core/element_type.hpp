// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Types of the elements of a tensor.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/errors.hpp"

namespace strake {

/// Convolutions compute in f32; pictures come as u8. The other types are those of elementwise operators, indices and
/// quantised tensors. f16 and bf16 only stand at the edges, where values enter and leave the program: inside they are
/// f32. A boolean is a byte, 0 or 1.
enum class ElementType : unsigned char { f32, u8, f16, f64, bf16, i8, i16, i32, i64, u16, u32, u64, boolean };

[[nodiscard]] constexpr std::size_t size_of(ElementType type) {
  switch (type) {
    case ElementType::u8:
    case ElementType::i8:
    case ElementType::boolean:
      return 1;
    case ElementType::f16:
    case ElementType::bf16:
    case ElementType::i16:
    case ElementType::u16:
      return 2;
    case ElementType::f32:
    case ElementType::i32:
    case ElementType::u32:
      return 4;
    case ElementType::f64:
    case ElementType::i64:
    case ElementType::u64:
      return 8;
  }
  return 0;
}

[[nodiscard]] constexpr std::string_view to_string(ElementType type) {
  constexpr std::string_view names[] = {"float32", "uint8", "float16", "float64", "bfloat16", "int8", "int16",
                                        "int32",   "int64", "uint16",  "uint32",  "uint64",   "bool"};
  return names[static_cast<std::size_t>(type)];
}

/// The same, for joining.
[[nodiscard]] inline std::string name_of(ElementType type) { return std::string(to_string(type)); }

[[nodiscard]] constexpr bool is_float(ElementType type) {
  return type == ElementType::f32 || type == ElementType::f64 || type == ElementType::f16 || type == ElementType::bf16;
}

/// Calls body(std::type_identity<T>{}) with the C++ type of the elements; a boolean is `bool`, the 16-bit floats are
/// their bits (`std::uint16_t`).
template <class Body>
decltype(auto) with_type(ElementType type, Body&& body) {
  switch (type) {
    case ElementType::u8:
      return body(std::type_identity<std::uint8_t>{});
    case ElementType::f16:
    case ElementType::bf16:
    case ElementType::u16:
      return body(std::type_identity<std::uint16_t>{});
    case ElementType::f64:
      return body(std::type_identity<double>{});
    case ElementType::i8:
      return body(std::type_identity<std::int8_t>{});
    case ElementType::i16:
      return body(std::type_identity<std::int16_t>{});
    case ElementType::i32:
      return body(std::type_identity<std::int32_t>{});
    case ElementType::i64:
      return body(std::type_identity<std::int64_t>{});
    case ElementType::u32:
      return body(std::type_identity<std::uint32_t>{});
    case ElementType::u64:
      return body(std::type_identity<std::uint64_t>{});
    case ElementType::boolean:
      return body(std::type_identity<bool>{});
    case ElementType::f32:
      break;
  }
  return body(std::type_identity<float>{});
}

}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Types of the elements of a tensor.

#include <cstddef>
#include <string_view>

#include "core/errors.hpp"

namespace strake {

/// Kernels compute in f32; u8 is for pictures on their way to the first operator; f16 only stands at the edges,
/// where values enter and leave the program.
enum class ElementType : unsigned char { f32, u8, f16 };

[[nodiscard]] constexpr std::size_t size_of(ElementType type) {
  switch (type) {
    case ElementType::f32:
      return 4;
    case ElementType::u8:
      return 1;
    case ElementType::f16:
      return 2;
  }
  return 0;
}

[[nodiscard]] constexpr std::string_view to_string(ElementType type) {
  switch (type) {
    case ElementType::f32:
      return "float32";
    case ElementType::u8:
      return "uint8";
    case ElementType::f16:
      return "float16";
  }
  return "?";
}

}  // namespace strake

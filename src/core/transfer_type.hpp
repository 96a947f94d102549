// SPDX-License-Identifier: Apache-2.0
#pragma once
/// As what f32 cells travel between hosts: in fewer bytes, at the price of rounding.

#include <array>
#include <cstddef>
#include <string_view>

#include "core/view.hpp"

namespace strake {

/// f32 is as they are. bf16 and fp16 round each cell to nearest even. int8 rounds the cells of a message to multiples
/// of one scale, a 127th of their largest magnitude, which travels with them.
enum class TransferType : unsigned char { f32, bf16, fp16, int8 };

/// By the numbers of `TransferType`, as on the command line and in plan files.
inline constexpr std::array<std::string_view, 4> transfer_type_names = {"f32", "bf16", "fp16", "int8"};

[[nodiscard]] constexpr std::string_view to_string(TransferType type) {
  return transfer_type_names[static_cast<std::size_t>(type)];
}

/// Bytes of a cell on the wire.
[[nodiscard]] constexpr std::size_t size_of(TransferType type) {
  constexpr std::size_t sizes[] = {4, 2, 2, 1};
  return sizes[static_cast<std::size_t>(type)];
}

/// Bytes of the scale in front of int8 cells.
inline constexpr std::size_t scale_bytes = sizeof(float);

/// Bytes of a box of f32 cells on the wire.
[[nodiscard]] inline std::size_t travelling_bytes(const Box& box, TransferType type) {
  if (box.empty()) return 0;
  return static_cast<std::size_t>(box.volume()) * size_of(type) + (type == TransferType::int8 ? scale_bytes : 0);
}

}  // namespace strake

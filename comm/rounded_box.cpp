// SPDX-License-Identifier: Apache-2.0
#include "comm/rounded_box.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>

#include "comm/runs.hpp"
#include "core/blob.hpp"
#include "core/multiversion.hpp"
#include "core/number_types.hpp"

namespace strake::comm {

namespace {

constexpr float most_steps = 127;
constexpr std::int8_t not_a_number = -128;

// ---- a run of cells: loops that compilers make vectors of -----------------------------------------------------------

STRAKE_MULTIVERSION void to_bfloats(const float* from, std::uint16_t* to, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) to[i] = float_to_bfloat(from[i]);
}

STRAKE_MULTIVERSION void from_bfloats(const std::uint16_t* from, float* to, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) to[i] = bfloat_to_float(from[i]);
}

STRAKE_MULTIVERSION void to_halves(const float* from, std::uint16_t* to, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) to[i] = float_to_half(from[i]);
}

STRAKE_MULTIVERSION void from_halves(const std::uint16_t* from, float* to, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) to[i] = half_to_float(from[i]);
}

// Magnitudes of floats are in the order of their bits.
STRAKE_MULTIVERSION std::int32_t largest_finite_bits(const float* from, std::size_t n) {
  constexpr std::int32_t infinity = 0x7F800000;
  std::int32_t largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t magnitude = std::bit_cast<std::int32_t>(from[i]) & 0x7FFFFFFF;
    const std::int32_t finite = magnitude < infinity ? magnitude : 0;
    largest = largest > finite ? largest : finite;
  }
  return largest;
}

STRAKE_MULTIVERSION void to_steps(const float* from, float scale, std::int8_t* to, std::size_t n) {
  // Adding it leaves no bits behind the point, and the float unit rounds.
  constexpr float rounder = 3 << 22;
  for (std::size_t i = 0; i < n; ++i) {
    const float steps = from[i] / scale;
    const float above = steps > -most_steps ? steps : -most_steps;
    const float limited = above < most_steps ? above : most_steps;
    const std::int32_t rounded = std::bit_cast<std::int32_t>(limited + rounder) - std::bit_cast<std::int32_t>(rounder);
    const bool is_nan = (std::bit_cast<std::int32_t>(from[i]) & 0x7FFFFFFF) > 0x7F800000;
    to[i] = static_cast<std::int8_t>(is_nan ? not_a_number : rounded);
  }
}

STRAKE_MULTIVERSION void from_steps(const std::int8_t* from, float scale, float* to, std::size_t n) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t i = 0; i < n; ++i) {
    const float value = static_cast<float>(from[i]) * scale;
    to[i] = from[i] == not_a_number ? nan : value;
  }
}

// ---- a box ----------------------------------------------------------------------------------------------------------

// Calls visit(cells, n, place of the first one in canonical order) for each run of `view`.
template <class Visit>
void for_each_float_run(const View& view, Visit visit) {
  std::size_t place = 0;
  for_each_run(view, [&](std::byte* data, std::size_t n_bytes) {
    const std::size_t n = n_bytes / sizeof(float);
    visit(reinterpret_cast<float*>(data), n, place);
    place += n;
  });
}

float scale_of(const View& view) {
  std::int32_t largest = 0;
  for_each_float_run(view, [&](const float* cells, std::size_t n, std::size_t) {
    largest = std::max(largest, largest_finite_bits(cells, n));
  });
  const float scale = std::bit_cast<float>(largest) / most_steps;
  return scale >= std::numeric_limits<float>::min() ? scale : 0;
}

}  // namespace

void encode(const View& view, TransferType type, std::byte* to) {
  ensure(view.type == ElementType::f32 && type != TransferType::f32, "f32 cells are rounded to fewer bytes");
  if (view.box.empty()) return;
  if (view.channel_block > 1) {
    Blob cells = Blob::allocate(dense_bytes(view.box, view.type));
    const View dense = dense_view(view.box, view.type, cells.data());
    copy_box(view, dense, view.box);
    encode(dense, type, to);
    return;
  }
  if (type == TransferType::int8) {
    const float scale = scale_of(view);
    std::memcpy(to, &scale, scale_bytes);
    auto* steps = reinterpret_cast<std::int8_t*>(to + scale_bytes);
    // All cells are far below 1 where there is no scale.
    for_each_float_run(view, [&](const float* cells, std::size_t n, std::size_t place) {
      to_steps(cells, scale > 0 ? scale : 1, steps + place, n);
    });
    return;
  }
  const auto round = type == TransferType::bf16 ? to_bfloats : to_halves;
  for_each_float_run(view, [&](const float* cells, std::size_t n, std::size_t place) {
    round(cells, reinterpret_cast<std::uint16_t*>(to) + place, n);
  });
}

void decode(const std::byte* from, TransferType type, const View& view) {
  ensure(view.type == ElementType::f32 && type != TransferType::f32, "f32 cells are rounded to fewer bytes");
  if (view.box.empty()) return;
  if (view.channel_block > 1) {
    Blob cells = Blob::allocate(dense_bytes(view.box, view.type));
    const View dense = dense_view(view.box, view.type, cells.data());
    decode(from, type, dense);
    copy_box(dense, view, view.box);
    return;
  }
  if (type == TransferType::int8) {
    float scale = 0;
    std::memcpy(&scale, from, scale_bytes);
    const auto* steps = reinterpret_cast<const std::int8_t*>(from + scale_bytes);
    for_each_float_run(
        view, [&](float* cells, std::size_t n, std::size_t place) { from_steps(steps + place, scale, cells, n); });
    return;
  }
  const auto widen = type == TransferType::bf16 ? from_bfloats : from_halves;
  for_each_float_run(view, [&](float* cells, std::size_t n, std::size_t place) {
    widen(reinterpret_cast<const std::uint16_t*>(from) + place, cells, n);
  });
}

}  // namespace strake::comm

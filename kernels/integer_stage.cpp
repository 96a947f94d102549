// SPDX-License-Identifier: Apache-2.0
#include "kernels/integer_stage.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/strided.hpp"

namespace strake::kernels {

IntegerStage::IntegerStage(const View& src, const ConvGeometry& g, const Dot& dot)
    : src_(src),
      n_in_(g.ic / g.groups),
      words_(dot.channels_per_step == 4),
      rows_(g.n * g.ih),
      columns_(g.iw),
      n_rows_(g.ih) {
  const Index group_bytes = (n_in_ + dot.channels_per_step - 1) / dot.channels_per_step * step_bytes;
  const Index x_step = src.box[1].size() / n_in_ * group_bytes;
  if (g.groups == 1 && g.w.dilation == 1 && g.w.kernel > 1) {
    left_ = std::max<Index>(g.w.pad_begin, 0);
    right_ = std::max<Index>((g.ow - 1) * g.w.stride - g.w.pad_begin + g.w.kernel - g.iw, 0);
    run_ = g.w.kernel;
  }
  const Index y_step = (left_ + g.iw + right_) * x_step;
  pixels_ = {.data = nullptr, .n_step = g.ih * y_step, .y_step = y_step, .x_step = x_step, .group_step = group_bytes};
  n_bytes_ = static_cast<std::size_t>(g.n * pixels_.n_step);
}

Pixels IntegerStage::fill(std::byte* memory, Index zero_point, std::byte padding) const {
  Pixels to = pixels_;
  to.data = memory + left_ * to.x_step;
  const auto pad = [&](std::byte* first, Index n) {
    std::memset(first, std::to_integer<int>(padding), static_cast<std::size_t>(n * to.x_step));
  };
  const Index groups = src_.box[1].size() / n_in_;
#pragma omp parallel for schedule(static) if (rows_ > 1 && rows_ * columns_ * src_.box[1].size() > parallel_floats)
  for (Index row = 0; row < rows_; ++row) {
    std::byte* row_to = memory + left_ * to.x_step + row * to.y_step;
    pad(row_to - left_ * to.x_step, left_);
    const std::byte* row_from = pixel(src_, row / n_rows_, row % n_rows_, 0);
    if (n_in_ == 3 && groups == 1 && words_) {
      fill_picture(row_from, row_to);
    } else {
      for (Index x = 0; x < columns_; ++x)
        for (Index group = 0; group < groups; ++group)
          fill_group(row_from + x * src_.strides[3] + group * n_in_, row_to + x * to.x_step + group * to.group_step,
                     zero_point);
    }
    pad(row_to + columns_ * to.x_step, right_);
  }
  return to;
}

// Three channels: what first layers read.
void IntegerStage::fill_picture(const std::byte* from, std::byte* to) const {
  const auto flipped = static_cast<std::byte>(shift_to_unsigned(src_.type));
  for (Index x = 0; x < columns_; ++x, from += src_.strides[3], to += step_bytes) {
    const std::byte four[] = {from[0] ^ flipped, from[1] ^ flipped, from[2] ^ flipped, std::byte{0}};
    std::memcpy(to, four, sizeof four);
  }
}

// Channels in gaps meet weights of zero.
void IntegerStage::fill_group(const std::byte* from, std::byte* to, Index zero_point) const {
  if (words_) {
    const auto flipped = static_cast<std::byte>(shift_to_unsigned(src_.type));
    for (Index i = 0; i < n_in_; ++i) to[i] = from[i] ^ flipped;
    for (Index i = n_in_; i < pixels_.group_step; ++i) to[i] = std::byte{0};
    return;
  }
  auto* floats = reinterpret_cast<float*>(to);
  const auto zero = static_cast<float>(zero_point);
  if (src_.type == ElementType::u8) {
    for (Index i = 0; i < n_in_; ++i) floats[i] = static_cast<float>(std::to_integer<std::uint8_t>(from[i])) - zero;
  } else {
    for (Index i = 0; i < n_in_; ++i)
      floats[i] = static_cast<float>(static_cast<std::int8_t>(std::to_integer<std::uint8_t>(from[i]))) - zero;
  }
}

}  // namespace strake::kernels

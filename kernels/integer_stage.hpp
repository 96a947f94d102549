// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A copy of an integer convolution's input as its products read it, where the tensor itself does not lie so.

#include <cstddef>

#include "core/view.hpp"
#include "kernels/conv_geometry.hpp"
#include "kernels/integer_dot.hpp"

namespace strake::kernels {

/// Where pixels lie, in bytes.
struct Pixels {
  const std::byte* data = nullptr;
  Index n_step = 0;
  Index y_step = 0;
  Index x_step = 0;
  Index group_step = 0;
};

/// The first channel of a pixel; places count from the view's own corner.
[[nodiscard]] inline std::byte* pixel(const View& view, Index n, Index y, Index x) {
  return view.data +
         (n * view.strides[0] + y * view.strides[2] + x * view.strides[3]) * static_cast<Index>(size_of(view.type));
}

/// What is added to bytes with signs before unsigned products.
[[nodiscard]] inline Index shift_to_unsigned(ElementType type) { return type == ElementType::u8 ? 0 : 128; }

/// Whole steps of channels, unsigned or as floats less the zero point. Pixels lie side by side there, so that a row of
/// the kernel is one run of steps if the row's padding lies there too.
class IntegerStage {
 public:
  IntegerStage(const View& src, const ConvGeometry& g, const Dot& dot);

  [[nodiscard]] std::size_t n_bytes() const { return n_bytes_; }
  /// Columns of padding before and behind each row.
  [[nodiscard]] Index left() const { return left_; }
  [[nodiscard]] Index right() const { return right_; }
  /// Columns of the kernel that count as one tap.
  [[nodiscard]] Index run() const { return run_; }

  /// Copies the input into `memory`, n_bytes() of it. @returns where its pixels lie now
  Pixels fill(std::byte* memory, Index zero_point, std::byte padding) const;

 private:
  void fill_picture(const std::byte* from, std::byte* to) const;
  void fill_group(const std::byte* from, std::byte* to, Index zero_point) const;

  View src_;
  Index n_in_;  // channels of a group
  bool words_;  // bytes in steps of four, else floats
  Index rows_;  // of all pictures
  Index columns_;
  Index n_rows_;  // of one picture
  Index left_ = 0;
  Index right_ = 0;
  Index run_ = 1;
  Pixels pixels_;
  std::size_t n_bytes_ = 0;
};

}  // namespace strake::kernels

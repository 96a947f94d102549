// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Sliding windows along one axis: which input rows an operator reads to produce given output rows.

#include "core/interval.hpp"

namespace strake {

/// Kernel, stride, dilation and zero padding along one axis, in rows (or columns).
struct WindowAxis {
  Index kernel = 1;
  Index stride = 1;
  Index dilation = 1;
  Index pad_begin = 0;
  Index pad_end = 0;

  /// Rows between the first and the last that one window touches, both included.
  [[nodiscard]] Index reach() const { return (kernel - 1) * dilation + 1; }
  friend bool operator==(const WindowAxis&, const WindowAxis&) = default;
};

/// Windows along rows and columns.
struct Window2d {
  WindowAxis h;
  WindowAxis w;
  friend bool operator==(const Window2d&, const Window2d&) = default;
};

enum class Rounding : unsigned char { floor, ceil };

/// Output rows of a window that slides over `src_size` rows; 0 where it does not fit once.
/// With `Rounding::ceil` a last window that begins in the input or its front padding counts although it reaches
/// beyond the padding, be it the only one. Source: ONNX operators Conv-11 and MaxPool-12.
[[nodiscard]] Index output_size(const WindowAxis& window, Index src_size, Rounding rounding);

/// Input rows that cover everything `window` reads to produce the output rows `dst`.
///
/// Rows are numbered in the whole map. The answer is clipped to [0, src_size): rows of the zero padding are left
/// out, and it is empty when `dst` is empty or reads nothing but padding. Source: Dumoulin and Visin, arXiv:1603.07285.
[[nodiscard]] Interval input_interval(const WindowAxis& window, Interval dst, Index src_size);

/// The same window as seen by a kernel that holds only the input rows `src` and produces only the output rows `dst`:
/// what was clipped became padding of its own. Padding may be negative where `src` holds more than is read.
[[nodiscard]] WindowAxis window_of_slab(const WindowAxis& window, Interval src, Interval dst);

}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#include "core/window.hpp"

namespace strake {

Index output_size(const WindowAxis& window, Index src_size, Rounding rounding) {
  const Index room = src_size + window.pad_begin + window.pad_end - window.reach();
  if (room < 0) return rounding == Rounding::ceil && room > -window.stride ? 1 : 0;
  if (rounding == Rounding::floor) return room / window.stride + 1;
  Index size = (room + window.stride - 1) / window.stride + 1;
  // A window that would begin in the padding behind the input does not count.
  if ((size - 1) * window.stride >= src_size + window.pad_begin) --size;
  return size;
}

Interval input_interval(const WindowAxis& window, Interval dst, Index src_size) {
  if (dst.empty()) return {};
  const Index first = dst.begin * window.stride - window.pad_begin;
  const Index last = (dst.end - 1) * window.stride - window.pad_begin + window.reach();
  return intersect({first, last}, {0, src_size});
}

WindowAxis window_of_slab(const WindowAxis& window, Interval src, Interval dst) {
  WindowAxis slab = window;
  const Index first = dst.begin * window.stride - window.pad_begin;
  const Index last = (dst.end - 1) * window.stride - window.pad_begin + window.reach();
  slab.pad_begin = src.begin - first;
  slab.pad_end = last - src.end;
  return slab;
}

}  // namespace strake

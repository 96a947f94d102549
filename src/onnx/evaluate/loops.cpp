// SPDX-License-Identifier: Apache-2.0
#include "onnx/evaluate/loops.hpp"

#include <algorithm>

namespace strake::onnx_import {

std::vector<Index> broadcast_strides(const Shape& from, const Shape& to) {
  std::vector<Index> strides(to.size(), 0);
  Index step = 1;
  for (std::size_t back = 1; back <= from.size(); ++back) {
    const Index size = from[from.size() - back];
    if (size != 1) strides[to.size() - back] = step;
    step *= size;
  }
  return strides;
}

Shape broadcast_shape(const Call& call, const Shape& a, const Shape& b) {
  Shape shape(std::max(a.size(), b.size()), 1);
  for (std::size_t back = 1; back <= shape.size(); ++back) {
    const Index x = back <= a.size() ? a[a.size() - back] : 1;
    const Index y = back <= b.size() ? b[b.size() - back] : 1;
    if (x != y && x != 1 && y != 1) throw call.error("cannot broadcast " + to_string(a) + " and " + to_string(b));
    shape[shape.size() - back] = x == 1 ? y : x;
  }
  return shape;
}

Around around(const Shape& shape, std::size_t axis) {
  Around sizes;
  for (std::size_t i = 0; i < shape.size(); ++i)
    (i < axis ? sizes.outer : i == axis ? sizes.size : sizes.inner) *= shape[i];
  return sizes;
}

}  // namespace strake::onnx_import

// SPDX-License-Identifier: Apache-2.0
#include "onnx/host_value.hpp"

namespace strake::onnx_import {

HostValue HostValue::of_integers(Shape shape, std::vector<std::int64_t> values) {
  return {.kind = ValueKind::integers, .shape = std::move(shape), .floats = {}, .integers = std::move(values)};
}

HostValue HostValue::of_floats(Shape shape, const std::vector<float>& values) {
  return {.kind = ValueKind::floats, .shape = std::move(shape), .floats = Blob::copy_of(values), .integers = {}};
}

double HostValue::at(Index i) const {
  const auto place = static_cast<std::size_t>(i);
  return kind == ValueKind::integers ? static_cast<double>(integers[place])
                                     : static_cast<double>(floats.floats()[place]);
}

Index broadcast_place(const Shape& a, const Shape& to, Index index) {
  Index place = 0;
  Index step = 1;
  for (std::size_t back = 1; back <= to.size(); ++back) {
    const Index size = to[to.size() - back];
    const Index at = index % size;
    index /= size;
    if (back > a.size()) continue;
    const Index own = a[a.size() - back];
    if (own != 1) place += at * step;
    step *= own;
  }
  return place;
}

void for_each_place(const Shape& shape, const std::vector<Index>& strides, Index first,
                    const std::function<void(Index)>& body) {
  std::vector<Index> at(shape.size(), 0);
  Index place = first;
  for (Index n = volume(shape); n > 0; --n) {
    body(place);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      place += strides[axis];
      if (++at[axis] < shape[axis]) break;
      place -= strides[axis] * shape[axis];
      at[axis] = 0;
    }
  }
}

std::vector<Index> row_major_strides(const Shape& shape) {
  std::vector<Index> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

HostValue picked(const HostValue& source, Shape shape, const std::vector<Index>& strides, Index first) {
  HostValue value{.kind = source.kind, .shape = std::move(shape), .floats = {}, .integers = {}};
  if (source.kind == ValueKind::integers) {
    for_each_place(value.shape, strides, first,
                   [&](Index place) { value.integers.push_back(source.integers[static_cast<std::size_t>(place)]); });
    return value;
  }
  value.floats = Blob::allocate(static_cast<std::size_t>(volume(value.shape)) * sizeof(float));
  float* to = value.floats.floats().data();
  const auto from = source.floats.floats();
  for_each_place(value.shape, strides, first, [&](Index place) { *to++ = from[static_cast<std::size_t>(place)]; });
  return value;
}

}  // namespace strake::onnx_import

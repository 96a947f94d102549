// SPDX-License-Identifier: Apache-2.0
#include "onnx/host_value.hpp"

namespace strake::onnx_import {

HostValue HostValue::of_integers(Shape shape, const std::vector<std::int64_t>& values) {
  return HostTensor::of(std::move(shape), values);
}

HostValue HostValue::of_floats(Shape shape, const std::vector<float>& values) {
  return HostTensor::of(std::move(shape), values);
}

std::vector<std::int64_t> HostValue::integers() const {
  const HostTensor wide = converted(*this, ElementType::i64);
  const auto values = wide.view<std::int64_t>();
  return {values.begin(), values.end()};
}

std::vector<Index> row_major_strides(const Shape& shape) {
  std::vector<Index> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

HostTensor picked(const HostTensor& source, Shape shape, const std::vector<Index>& strides, Index first) {
  HostTensor result = HostTensor::allocate(source.type, std::move(shape));
  with_type(source.type, [&]<class T>(std::type_identity<T>) {
    const T* from = source.view<T>().data();
    std::vector<Index> at(result.shape.size(), 0);
    Index place = first;
    for (T& cell : result.view<T>()) {
      cell = from[place];
      for (std::size_t axis = at.size(); axis-- > 0;) {
        place += strides[axis];
        if (++at[axis] < result.shape[axis]) break;
        place -= strides[axis] * result.shape[axis];
        at[axis] = 0;
      }
    }
  });
  return result;
}

}  // namespace strake::onnx_import

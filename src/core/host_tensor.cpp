// SPDX-License-Identifier: Apache-2.0
#include "core/host_tensor.hpp"

#include <algorithm>

namespace strake {

HostTensor HostTensor::allocate(ElementType type, Shape shape) {
  const auto n_bytes = static_cast<std::size_t>(volume(shape)) * size_of(type);
  return {.type = type, .shape = std::move(shape), .data = Blob::allocate(n_bytes)};
}

double number_at(const HostTensor& tensor, Index i) {
  return with_number(tensor.type, [&]<class T>(std::type_identity<T>) {
    return static_cast<double>(tensor.view<T>()[static_cast<std::size_t>(i)]);
  });
}

HostTensor converted(const HostTensor& tensor, ElementType type) {
  if (tensor.type == type) return tensor;
  HostTensor result = HostTensor::allocate(type, tensor.shape);
  with_number(tensor.type, [&]<class From>(std::type_identity<From>) {
    with_number(type, [&]<class To>(std::type_identity<To>) {
      const std::span<const From> from = tensor.view<From>();
      std::transform(from.begin(), from.end(), result.view<To>().begin(), number_cast<To, From>);
    });
  });
  return result;
}

}  // namespace strake

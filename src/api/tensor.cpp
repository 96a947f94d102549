// SPDX-License-Identifier: Apache-2.0
#include "strake/tensor.hpp"

#include <utility>

#include "api/tensors.hpp"
#include "core/errors.hpp"

namespace strake {

namespace {

// The public types are the engine's, in the same order.
static_assert(static_cast<int>(DataType::float32) == static_cast<int>(ElementType::f32));
static_assert(static_cast<int>(DataType::uint8) == static_cast<int>(ElementType::u8));
static_assert(static_cast<int>(DataType::bfloat16) == static_cast<int>(ElementType::bf16));
static_assert(static_cast<int>(DataType::int8) == static_cast<int>(ElementType::i8));
static_assert(static_cast<int>(DataType::int64) == static_cast<int>(ElementType::i64));
static_assert(static_cast<int>(DataType::boolean) == static_cast<int>(ElementType::boolean));

ElementType element_type(DataType type) { return static_cast<ElementType>(type); }

}  // namespace

std::size_t size_of(DataType type) { return size_of(element_type(type)); }

std::string name_of(DataType type) { return std::string(to_string(element_type(type))); }

Tensor::Tensor(DataType type, std::vector<std::int64_t> shape, std::shared_ptr<const std::byte> elements)
    : type_(type),
      shape_(std::move(shape)),
      data_(std::move(elements)),
      n_bytes_(static_cast<std::size_t>(volume(shape_)) * size_of(type)) {}

void Tensor::expect_type(DataType type) const {
  if (type != type_) throw InvalidInput("the tensor has elements of type " + name_of(type_) + ", not " + name_of(type));
}

namespace api {

HostTensor borrowed(const std::string& name, const TensorView& view) {
  const auto place = static_cast<std::size_t>(view.type);
  if (place > static_cast<std::size_t>(DataType::boolean))
    throw InvalidInput("input '" + name + "': there is no type of elements " + std::to_string(place));
  const ElementType type = element_type(view.type);
  // Sizes come from outside: their product may be anything.
  const std::size_t most = view.bytes.size() / size_of(type);
  std::size_t elements = 1;
  for (const Index size : view.shape) {
    if (size < 0)
      throw InvalidInput("input '" + name + "' has shape " + to_string(view.shape) + ": sizes are 0 or more");
    const auto factor = static_cast<std::size_t>(size);
    if (factor != 0 && elements > most / factor)
      elements = most + 1;
    else
      elements *= factor;
  }
  if (elements * size_of(type) != view.bytes.size())
    throw InvalidInput("input '" + name + "' of shape " + to_string(view.shape) + " and type " +
                       std::string(to_string(type)) + " has " + std::to_string(view.bytes.size()) +
                       " bytes, which is another number of elements");
  // Nobody writes to a frame's inputs, and nobody frees what is borrowed.
  auto* data = const_cast<std::byte*>(view.bytes.data());  // NOLINT(*-const-cast)
  std::shared_ptr<std::byte> owner(data, [](std::byte*) {});
  return {.type = type, .shape = view.shape, .data = Blob::adopt(std::move(owner), view.bytes.size())};
}

Tensor to_tensor(HostTensor tensor) {
  auto owner = std::make_shared<Blob>(std::move(tensor.data));
  const std::byte* data = owner->data();
  return {static_cast<DataType>(tensor.type), std::move(tensor.shape),
          std::shared_ptr<const std::byte>(std::move(owner), data)};
}

}  // namespace api

}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#include "cluster/wire.hpp"

#include <cstring>
#include <memory>
#include <set>
#include <utility>

namespace strake::cluster {

namespace {

constexpr unsigned n_types = static_cast<unsigned>(ElementType::boolean) + 1;

// Bytes of the tensor's values, or nothing where it makes no sense.
std::optional<std::size_t> bytes_of(const wire::Tensor& tensor) {
  if (tensor.type() >= n_types || tensor.shape_size() > most_axes || tensor.name().size() > most_name_bytes) return {};
  std::size_t cells = 1;
  for (const std::int64_t size : tensor.shape()) {
    if (size < 0 || static_cast<std::uint64_t>(size) > most_tensor_bytes) return {};
    // Both factors are below 2^31.
    cells *= static_cast<std::size_t>(size);
    if (cells > most_tensor_bytes) return {};
  }
  const std::size_t n_bytes = cells * size_of(static_cast<ElementType>(tensor.type()));
  if (n_bytes > most_tensor_bytes) return {};
  return n_bytes;
}

const Tensors* tensors_of(const wire::Envelope& body) {
  if (body.has_submit()) return &body.submit().tensors();
  if (body.has_result()) return &body.result().tensors();
  if (body.has_work()) return &body.work().tensors();
  if (body.has_work_done()) return &body.work_done().tensors();
  return nullptr;
}

// One owner more for the memory, given up when ZeroMQ has sent it.
zmq::message_t view_of(const Blob& data) {
  if (data.size_bytes() == 0) return zmq::message_t();
  auto owner = std::make_unique<Blob>(data);
  zmq::message_t message(
      owner->data(), owner->size_bytes(), [](void*, void* hint) { delete static_cast<Blob*>(hint); }, owner.get());
  (void)owner.release();
  return message;
}

Blob blob_of(zmq::message_t&& message) {
  const std::size_t n_bytes = message.size();
  // Kernels and copies want elements at multiples of their size; small messages lie within ZeroMQ's own structure.
  if (n_bytes == 0 || reinterpret_cast<std::uintptr_t>(message.data()) % 16 != 0) {
    Blob blob = Blob::allocate(n_bytes);
    if (n_bytes > 0) std::memcpy(blob.data(), message.data(), n_bytes);
    return blob;
  }
  auto owner = std::make_shared<zmq::message_t>(std::move(message));
  auto* data = static_cast<std::byte*>(owner->data());
  return Blob::adopt(std::shared_ptr<std::byte>(std::move(owner), data), n_bytes);
}

}  // namespace

std::optional<std::string> fault_of(const Message& message) {
  if (message.body.body_case() == wire::Envelope::BODY_NOT_SET) return "it says nothing that this version knows";
  const Tensors* tensors = tensors_of(message.body);
  const std::size_t expected = tensors == nullptr ? 0 : static_cast<std::size_t>(tensors->size());
  if (expected > most_tensors) return "it has " + std::to_string(expected) + " tensors";
  if (expected != message.parts.size())
    return "it names " + std::to_string(expected) + " tensors and brings " + std::to_string(message.parts.size());
  std::set<std::string> names;
  for (std::size_t i = 0; i < expected; ++i) {
    const wire::Tensor& tensor = tensors->Get(static_cast<int>(i));
    const std::optional<std::size_t> n_bytes = bytes_of(tensor);
    if (!n_bytes) return "tensor " + std::to_string(i) + " has a name, type or shape that makes no sense";
    if (*n_bytes != message.parts[i].size())
      return "tensor " + std::to_string(i) + " needs " + std::to_string(*n_bytes) + " bytes and has " +
             std::to_string(message.parts[i].size());
    if (!names.insert(tensor.name()).second) return "tensor " + std::to_string(i) + " has the name of another";
  }
  return std::nullopt;
}

std::optional<wire::Envelope> parse_envelope(const void* bytes, std::size_t n_bytes) {
  wire::Envelope body;
  if (n_bytes > most_envelope_bytes || !body.ParseFromArray(bytes, static_cast<int>(n_bytes))) return std::nullopt;
  if (body.version() != wire_version) return std::nullopt;
  return body;
}

void put_tensors(const TensorMap& tensors, Tensors& list, std::vector<zmq::message_t>& parts) {
  for (const auto& [name, tensor] : tensors) {
    wire::Tensor& entry = *list.Add();
    entry.set_name(name);
    entry.set_type(static_cast<std::uint32_t>(tensor.type));
    for (const Index size : tensor.shape) entry.add_shape(size);
    parts.push_back(view_of(tensor.data));
  }
}

TensorMap take_tensors(const Tensors& list, std::vector<zmq::message_t>& parts) {
  TensorMap tensors;
  for (int i = 0; i < list.size(); ++i) {
    const wire::Tensor& entry = list.Get(i);
    HostTensor tensor{.type = static_cast<ElementType>(entry.type()),
                      .shape = Shape(entry.shape().begin(), entry.shape().end()),
                      .data = blob_of(std::move(parts[static_cast<std::size_t>(i)]))};
    tensors.emplace(entry.name(), std::move(tensor));
  }
  parts.clear();
  return tensors;
}

std::vector<zmq::message_t> copies_of(std::vector<zmq::message_t>& parts) {
  std::vector<zmq::message_t> copies(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) copies[i].copy(parts[i]);
  return copies;
}

}  // namespace strake::cluster

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Messages on the cluster's sockets: an Envelope, then the values of its tensors, a frame each. Whatever comes is
/// checked here before anybody reads it.

#include <wire.pb.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "core/host_tensor.hpp"

namespace strake::cluster {

/// Both sides of a socket have the same, or refuse each other.
inline constexpr std::uint32_t wire_version = 1;

/// What a message may hold at most. Frames beyond are refused by the socket itself, before memory is taken.
inline constexpr std::size_t most_envelope_bytes = std::size_t{1} << 20;
inline constexpr std::size_t most_tensor_bytes = std::size_t{1} << 30;
inline constexpr int most_tensors = 256;
inline constexpr int most_axes = 16;
inline constexpr std::size_t most_name_bytes = 1024;

/// One message. `parts` are the values of the tensors that the body names, in that order.
struct Message {
  wire::Envelope body;
  std::vector<zmq::message_t> parts;
  std::string peer;  // who sent it, or shall get it, on sockets with several peers
  std::string user;  // who the key says that it is ("node edge2 KEY"); empty on sockets without keys
};

/// An envelope of this version around what `fill` writes into it.
template <class Fill>
[[nodiscard]] Message message_with(Fill fill) {
  Message message;
  message.body.set_version(wire_version);
  fill(message.body);
  return message;
}

/// Whether the body and the parts fit each other and the limits; otherwise why not.
[[nodiscard]] std::optional<std::string> fault_of(const Message& message);

/// The envelope in `bytes`, or nothing where they are none of this version.
[[nodiscard]] std::optional<wire::Envelope> parse_envelope(const void* bytes, std::size_t n_bytes);

using Tensors = google::protobuf::RepeatedPtrField<wire::Tensor>;

/// Names, types and shapes go into `list`, the values behind `parts`: they share the tensors' memory, which lives until
/// the message was sent.
void put_tensors(const TensorMap& tensors, Tensors& list, std::vector<zmq::message_t>& parts);

/// The tensors of a message without fault; they share the memory of its parts.
[[nodiscard]] TensorMap take_tensors(const Tensors& list, std::vector<zmq::message_t>& parts);

/// Another handle of the same bytes.
[[nodiscard]] std::vector<zmq::message_t> copies_of(std::vector<zmq::message_t>& parts);

}  // namespace strake::cluster

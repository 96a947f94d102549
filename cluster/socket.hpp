// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Sockets for messages: how they are opened, with keys or within this host, sent to and received from.

#include <chrono>
#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "cluster/keys.hpp"
#include "cluster/wire.hpp"

namespace strake::cluster {

/// Whether a socket has one peer, or many that it tells apart.
enum class Peers : unsigned char { one, many };

/// A ZeroMQ socket that speaks Messages. It belongs to one thread.
class Socket {
 public:
  Socket(zmq::context_t& context, Peers peers);

  /// From here on peers must have a key that the gate (gate.hpp) of this context lets in. Before `bind`.
  void require_keys(const KeyPair& server);
  /// From here on the peer must have the key that `identity` names. Before `connect`.
  void use_keys(const Identity& identity);

  /// @param address  as ZeroMQ writes it: "tcp://10.0.7.1:7300", "ipc:///run/..."
  /// @throws InvalidInput naming the address: in use, not of this host, no such
  void bind(const std::string& address);
  void connect(const std::string& address);

  /// Whether the other side has said that this key does not count, since the last call. For sockets with one peer.
  [[nodiscard]] bool key_was_refused();

  /// Never waits: what a peer does not take in time is dropped, which its silence tells anyway. False where it was.
  bool send(Message message);

  /// The next message that makes sense; nothing where there is none at the moment. Others are dropped and counted.
  [[nodiscard]] std::optional<Message> receive();
  [[nodiscard]] std::size_t dropped() const { return dropped_; }

  [[nodiscard]] zmq::pollitem_t poll_item() { return {socket_.handle(), 0, ZMQ_POLLIN, 0}; }

 private:
  [[nodiscard]] std::optional<Message> message_of(std::vector<zmq::message_t> frames) const;

  zmq::context_t* context_;
  zmq::socket_t socket_;
  std::optional<zmq::socket_t> events_;  // of the connection, where it needs a key
  Peers peers_;
  std::size_t dropped_ = 0;
};

/// Waits until one of them has something to read, or so long. A descriptor below 0 is none.
void wait_for(std::vector<zmq::pollitem_t>& items, std::chrono::milliseconds longest);

}  // namespace strake::cluster

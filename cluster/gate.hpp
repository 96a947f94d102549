// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Who comes in: answers ZeroMQ's question about every new connection with a key (ZAP, RFC 27), and knows later whether
/// its key still counts.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <zmq.hpp>

#include "cluster/keys.hpp"

namespace strake::cluster {

/// Lives in the thread of the sockets that it guards, in the same context, and is made before they are bound.
class Gate {
 public:
  Gate(zmq::context_t& context, KeyStore keys);

  [[nodiscard]] zmq::pollitem_t poll_item() { return {socket_.handle(), 0, ZMQ_POLLIN, 0}; }
  /// Answers what was asked. Never waits.
  void answer();

  /// The member behind `Message::user`; nothing where its key was revoked since, or there never was one. Reads the list
  /// again when it changed.
  [[nodiscard]] std::optional<Member> member(const std::string& user);
  [[nodiscard]] std::size_t refused() const { return refused_; }

 private:
  void refresh();

  zmq::socket_t socket_;
  KeyStore keys_;
  std::string version_;
  std::map<std::string, Member> by_key_;
  std::chrono::steady_clock::time_point looked_{};
  std::size_t refused_ = 0;
};

}  // namespace strake::cluster

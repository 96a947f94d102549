// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where a cluster is reached: "tcp://HOST:PORT", and which network of this host that is.

#include <optional>
#include <string>

namespace strake::cluster {

inline constexpr int default_port = 7300;

/// An address of the form tcp://HOST:PORT.
struct Address {
  std::string host;
  int port = default_port;

  /// As ZeroMQ takes it.
  [[nodiscard]] std::string text() const;
};

/// "tcp://HOST[:PORT]", "HOST:PORT" or "HOST". @throws InvalidInput
[[nodiscard]] Address address_of(const std::string& text);

/// Whether only this host reaches it: 127.0.0.0/8, ::1 or localhost.
[[nodiscard]] bool is_loopback(const Address& address);

/// A port with keys says nothing to who has none, and the other way round: what to tell who got no answer.
[[nodiscard]] std::string nobody_answers(const Address& address, bool with_key);

/// One of this host's, and one of its IPv4 addresses.
struct Interface {
  std::string name;     // eth0
  std::string address;  // 10.0.7.1
  std::string network;  // 10.0.7.0/24
};

/// The one that has this (numeric) address, or this name; nothing where none has it.
[[nodiscard]] std::optional<Interface> interface_of(const Address& address);

/// The one in this network, written as above; nothing where none is.
[[nodiscard]] std::optional<Interface> interface_in(const std::string& network);

/// This host's name.
[[nodiscard]] std::string host_name();

}  // namespace strake::cluster

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the fuzzer of the cluster's messages, and its regressions, do with some bytes.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cluster/wire.hpp"

namespace strake::fuzz {

/// Who gets a message: each side takes what the other sides may send, and whatever else a stranger may.
enum class Ear : std::uint8_t { client_of_supervisor, node_of_supervisor, job_of_supervisor, agent, client, n_ears };

/// A conversation as bytes: for each message its ear, the number of its parts, their lengths and the bytes themselves.
[[nodiscard]] std::string record(Ear ear, const wire::Envelope& body, const std::vector<std::string>& parts);

/// Hands all messages of a conversation to a supervisor, an agent and a client as if they had come through sockets.
/// Refusing and ignoring them is fine; exceptions pass.
void feed_messages(std::span<const std::uint8_t> bytes);

/// Conversations that mean something: every kind of message once.
[[nodiscard]] std::vector<std::string> conversations();

}  // namespace strake::fuzz

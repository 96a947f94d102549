// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Asks a supervisor how it is, and how its hosts are.

#include <chrono>
#include <optional>
#include <string>

#include "cluster/addresses.hpp"
#include "cluster/keys.hpp"

namespace strake::cluster {

/// Its state as JSON (state.hpp). @throws InvalidInput where the key is refused @throws PeerLost where nobody answers
[[nodiscard]] std::string ask_status(const Address& address, const std::optional<Identity>& identity,
                                     std::chrono::milliseconds longest);

/// What all hosts say about themselves, as JSON (facts.hpp). Errors as above.
[[nodiscard]] std::string ask_facts(const Address& address, const std::optional<Identity>& identity,
                                    std::chrono::milliseconds longest);

}  // namespace strake::cluster

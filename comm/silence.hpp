// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What is said of ranks that do not answer.

#include <chrono>
#include <set>
#include <string_view>

#include "core/errors.hpp"

namespace strake::comm {

/// "receiving took longer than 10000 ms: silent ranks 1, 4"
[[nodiscard]] PeerLost silence(std::string_view what, const std::set<int>& ranks, std::chrono::nanoseconds timeout);

}  // namespace strake::comm

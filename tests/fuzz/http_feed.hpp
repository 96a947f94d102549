// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the fuzzer of the HTTP server, and its regressions, do with some bytes.

#include <span>
#include <string>
#include <vector>

namespace strake::fuzz {

/// Sends the bytes to a server of this process, one with a token if the first of them is odd, and reads until it closes
/// the connection, or says no more. @return what it answered
std::string feed_http(std::span<const char> bytes);

/// Requests that mean something.
[[nodiscard]] std::vector<std::string> requests();

}  // namespace strake::fuzz

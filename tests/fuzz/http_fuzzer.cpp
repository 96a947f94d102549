// SPDX-License-Identifier: Apache-2.0
// The libFuzzer target of the HTTP server.

#include <cstdint>

#include "fuzz/http_feed.hpp"

extern "C" {

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)strake::fuzz::feed_http({reinterpret_cast<const char*>(data), size});
  return 0;
}
}

// SPDX-License-Identifier: Apache-2.0
// The libFuzzer target of the cluster's messages.

#include "fuzz/wire_feed.hpp"

extern "C" {

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  strake::fuzz::feed_messages({data, size});
  return 0;
}
}

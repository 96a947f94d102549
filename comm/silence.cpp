// SPDX-License-Identifier: Apache-2.0
#include "comm/silence.hpp"

#include <string>

namespace strake::comm {

PeerLost silence(std::string_view what, const std::set<int>& ranks, std::chrono::nanoseconds timeout) {
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
  std::string message = std::string(what) + " took longer than " + std::to_string(limit) + " ms: silent ";
  message += ranks.size() == 1 ? "rank " : "ranks ";
  for (const int rank : ranks) message += (rank == *ranks.begin() ? "" : ", ") + std::to_string(rank);
  return PeerLost(message);
}

}  // namespace strake::comm

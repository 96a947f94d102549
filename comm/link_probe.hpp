// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Measures what messages cost between each pair of ranks.

#include <vector>

#include "comm/communicator.hpp"
#include "core/profile.hpp"

namespace strake::comm {

/// Collective: every pair in turn plays ping-pong with small and large messages of the data path, while the others
/// sleep. Some 20 ms for a pair on a fast link, below a second on a slow one; of more than 16 ranks one pair of ranks
/// speaks for all pairs on the same two hosts. Everybody gets [src][dst]; the diagonal is free.
[[nodiscard]] std::vector<std::vector<Link>> probe_links(Communicator& communicator, Timeout timeout);

}  // namespace strake::comm

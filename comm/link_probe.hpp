// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Measures what messages cost between each pair of ranks.

#include <vector>

#include "comm/communicator.hpp"
#include "core/profile.hpp"

namespace strake::comm {

/// Collective: every pair in turn exchanges small and large messages of the data path between stretches of work,
/// while the others sleep: a link's latency and time per byte are what an exchange adds to a frame. Some 20 ms for a
/// pair on a fast link, below a second on a slow one; of more than 16 ranks one pair of ranks speaks for all pairs on
/// the same two hosts. Everybody gets [src][dst]; the diagonal is free.
[[nodiscard]] std::vector<std::vector<Link>> probe_links(Communicator& communicator, Timeout timeout);

/// Collective: as `probe_links`, but of links between hosts alone, and one pair of ranks speaks for all on its hosts;
/// the others are as if they were free. May be called while programs exist but no message is under way.
/// @param tag  that no message of theirs has
[[nodiscard]] std::vector<std::vector<Link>> probe_links_between_hosts(Communicator& communicator, int tag,
                                                                       Timeout timeout);

}  // namespace strake::comm

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How the clocks of ranks stand to each other, found by messages alone.

#include <cstdint>
#include <functional>
#include <vector>

#include "comm/communicator.hpp"

namespace strake::comm {

/// Nanoseconds since some moment that is this rank's own; never goes back.
using LocalClock = std::function<std::int64_t()>;

/// How far a rank's clock is ahead of rank 0's at one moment, in nanoseconds.
struct ClockOffset {
  std::int64_t at = 0;     // that moment, by the rank's clock
  std::int64_t ahead = 0;  // the rank's clock minus rank 0's
  std::int64_t error = 0;  // `ahead` is off by no more than this
};

/// Collective: rank 0 asks every other rank in turn for its time over the data path, while the rest sleep. Of several
/// rounds the shortest counts: the answer belongs to its middle, give or take half of it (F. Cristian, Probabilistic
/// clock synchronization, 1989). Where that leaves room for no offset at all, there is none: such ranks share a clock.
/// @return on rank 0 by rank, on the others nothing
/// @throws PeerLost
[[nodiscard]] std::vector<ClockOffset> probe_clocks(Communicator& communicator, const LocalClock& clock,
                                                    Timeout timeout);

/// Rank 0's time when the rank's clock showed `time`, which should lie between two readings of its offset; clocks drift
/// evenly between them. Keeps the order of times, however wrong the readings are.
[[nodiscard]] std::int64_t time_of_root(std::int64_t time, const ClockOffset& before, const ClockOffset& after);

}  // namespace strake::comm

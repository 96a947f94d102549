// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What every transport must do with clocks. The ranks share one, and what they are told apart by is known.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>

#include "comm/clock_probe.hpp"
#include "redistribution_cases.hpp"

namespace strake::test {

inline std::int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

inline void check_clocks(comm::Communicator& communicator) {
  // Hours apart, ahead and behind by turns.
  const auto shift = [](std::int64_t rank) { return (rank % 2 == 0 ? 1 : -1) * (rank + 1) * 10'000'000'000'000; };
  const auto mine = [&] { return steady_ns() + shift(communicator.rank()); };
  const std::vector<comm::ClockOffset> apart = comm::probe_clocks(communicator, mine, patience);
  const std::vector<comm::ClockOffset> shared = comm::probe_clocks(communicator, steady_ns, patience);
  if (communicator.rank() != 0) {
    EXPECT_TRUE(apart.empty());
    return;
  }
  ASSERT_EQ(apart.size(), static_cast<std::size_t>(communicator.size()));
  for (std::size_t rank = 0; rank < apart.size(); ++rank) {
    const std::int64_t expected = shift(static_cast<std::int64_t>(rank)) - shift(0);
    EXPECT_LE(std::abs(apart[rank].ahead - expected), apart[rank].error) << "rank " << rank;
    EXPECT_LE(apart[rank].at, steady_ns() + shift(static_cast<std::int64_t>(rank)));
    EXPECT_EQ(shared[rank].ahead, 0) << "rank " << rank << " has the clock of rank 0";
  }
  EXPECT_EQ(apart.front().error, 0);
}

}  // namespace strake::test

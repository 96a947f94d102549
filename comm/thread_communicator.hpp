// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Ranks that are threads of one process: for tests, and for a process without MPI.

#include <memory>
#include <vector>

#include "comm/communicator.hpp"

namespace strake::comm {

/// One end for each of `n` ranks; each is used by one thread. Receivers copy straight out of senders' memory.
/// @param hosts  where given, by rank: ranks of unlike numbers act as if they were on unlike hosts
[[nodiscard]] std::vector<std::unique_ptr<Communicator>> make_thread_communicators(int n,
                                                                                   const std::vector<int>& hosts = {});

}  // namespace strake::comm

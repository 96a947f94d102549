// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Ranks that are threads of one process: for tests, and for a process without MPI.

#include <memory>
#include <vector>

#include "comm/communicator.hpp"

namespace strake::comm {

/// One end for each of `n` ranks; each is used by one thread. Receivers copy straight out of senders' memory.
[[nodiscard]] std::vector<std::unique_ptr<Communicator>> make_thread_communicators(int n);

}  // namespace strake::comm

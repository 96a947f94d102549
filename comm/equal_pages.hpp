// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Memory that ranks of one host hold alike, held once.

#include <cstddef>
#include <span>
#include <vector>

#include "comm/communicator.hpp"

namespace strake::comm {

/// Collective. What several ranks of one host hold alike, they share from here on: the lowest of them puts its copy
/// where the others see it. Halves of a convolution's rows need the same weights, and caches that are shared too then
/// hold them once. Where the system does not let processes share memory, nothing changes.
/// Shared pages are the system's common ones, also where `pages` were large.
/// @param pages  whole pages of the system, mapped by this process; shared ones can only be read
/// @return bytes of this rank's that are in memory for all now
/// @throws OutOfMemory where the system refuses in the middle
std::size_t share_equal_pages(Communicator& communicator, const std::vector<std::span<std::byte>>& pages,
                              Timeout timeout);

}  // namespace strake::comm

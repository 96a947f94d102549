// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What ranks tell each other before they share work, and what follows from it.

#include <chrono>
#include <string>
#include <vector>

#include "comm/communicator.hpp"

namespace strake::engine {

/// One rank's word about itself.
struct RankInfo {
  std::string host;
  std::string build;  // must be equal on all ranks
  std::string cpu;
  std::string library;  // kernel library and version
  std::string instruction_set;
  int instruction_set_level = 0;
  std::vector<int> cores;  // that the process may use
  int online_cores = 1;
};

/// Local. @param build  what must be equal on all ranks
[[nodiscard]] RankInfo own_info(const comm::Communicator& communicator, const std::string& build);

/// Collective. Everybody's word, by rank.
[[nodiscard]] std::vector<RankInfo> exchange_infos(comm::Communicator& communicator, const RankInfo& mine,
                                                   std::chrono::nanoseconds timeout);

/// @throws InvalidInput naming the first rank and host whose build, or kernel library under `exact`, is another one
///         than that of rank 0
void check_equal_builds(const std::vector<RankInfo>& infos, bool exact);

/// Ranks on the host of `rank`, ascending.
[[nodiscard]] std::vector<int> ranks_on_host(const std::vector<RankInfo>& infos, int rank);

/// Which cores a rank should use, when ranks of its host share cores.
struct CoreShare {
  int threads = 1;
  std::vector<int> cores;  // to bind to; empty where binding would not help
  std::string warning;     // not empty where the launcher leaves cores of the machine unused
};

/// @param wanted_threads  0 for as many as the share has cores
[[nodiscard]] CoreShare share_cores(const std::vector<RankInfo>& infos, int rank, int wanted_threads);

}  // namespace strake::engine

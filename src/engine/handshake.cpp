// SPDX-License-Identifier: Apache-2.0
#include "engine/handshake.hpp"

#include <algorithm>
#include <set>
#include <sstream>

#include "core/errors.hpp"
#include "engine/machine.hpp"
#include "kernels/isa.hpp"

namespace strake::engine {

namespace {

// One field a line; no field has line breaks.
std::string to_text(const RankInfo& info) {
  std::ostringstream text;
  text << info.host << '\n'
       << info.build << '\n'
       << info.cpu << '\n'
       << info.library << '\n'
       << info.instruction_set << '\n'
       << info.instruction_set_level << '\n'
       << info.online_cores << '\n';
  for (const int core : info.cores) text << core << ' ';
  return text.str();
}

RankInfo from_text(const std::string& all) {
  std::istringstream text(all);
  RankInfo info;
  std::string number;
  std::getline(text, info.host);
  std::getline(text, info.build);
  std::getline(text, info.cpu);
  std::getline(text, info.library);
  std::getline(text, info.instruction_set);
  text >> info.instruction_set_level >> info.online_cores;
  for (int core = 0; text >> core;) info.cores.push_back(core);
  return info;
}

[[noreturn]] void refuse(const std::string& what, int rank, const RankInfo& info, const std::string& theirs,
                         const std::string& ours) {
  throw InvalidInput("rank " + std::to_string(rank) + " on host '" + info.host + "' has another " + what + ": '" +
                     theirs + "', rank 0 has '" + ours + "'");
}

}  // namespace

RankInfo own_info(const comm::Communicator& communicator, const std::string& build) {
  return {.host = communicator.host(),
          .build = build,
          .cpu = cpu_name(),
          .library = kernels::library_version(),
          .instruction_set = kernels::instruction_set(),
          .instruction_set_level = kernels::instruction_set_level(),
          .cores = allowed_cores(),
          .online_cores = online_cores()};
}

std::vector<RankInfo> exchange_infos(comm::Communicator& communicator, const RankInfo& mine,
                                     std::chrono::nanoseconds timeout) {
  std::vector<RankInfo> infos;
  for (const comm::Bytes& text : communicator.gather_for_all(comm::text_to_bytes(to_text(mine)), timeout))
    infos.push_back(from_text(comm::text_from_bytes(text)));
  return infos;
}

void check_equal_builds(const std::vector<RankInfo>& infos, bool exact) {
  for (std::size_t rank = 1; rank < infos.size(); ++rank) {
    const RankInfo& info = infos[rank];
    if (info.build != infos[0].build)
      refuse("build of Strake", static_cast<int>(rank), info, info.build, infos[0].build);
    if (exact && info.library != infos[0].library)
      refuse("kernel library, with which --exact cannot promise equal bits", static_cast<int>(rank), info, info.library,
             infos[0].library);
  }
}

std::vector<int> ranks_on_host(const std::vector<RankInfo>& infos, int rank) {
  std::vector<int> ranks;
  for (int other = 0; other < static_cast<int>(infos.size()); ++other)
    if (infos[static_cast<std::size_t>(other)].host == infos[static_cast<std::size_t>(rank)].host)
      ranks.push_back(other);
  return ranks;
}

CoreShare share_cores(const std::vector<RankInfo>& infos, int rank, int wanted_threads) {
  const RankInfo& mine = infos[static_cast<std::size_t>(rank)];
  const std::vector<int> neighbours = ranks_on_host(infos, rank);
  std::set<int> used;
  std::vector<int> sharing;  // ranks of this host that may use the same cores
  for (const int other : neighbours) {
    const std::vector<int>& cores = infos[static_cast<std::size_t>(other)].cores;
    used.insert(cores.begin(), cores.end());
    if (cores == mine.cores) sharing.push_back(other);
  }

  CoreShare share;
  const auto n_cores = mine.cores.size();
  const auto place = static_cast<std::size_t>(std::find(sharing.begin(), sharing.end(), rank) - sharing.begin());
  const std::size_t even = std::max<std::size_t>(n_cores / sharing.size(), 1);
  share.threads = wanted_threads > 0 ? wanted_threads : static_cast<int>(even);
  // Cores are dealt out only when everybody gets its own; otherwise the system schedules better than we do.
  const auto n_threads = static_cast<std::size_t>(share.threads);
  if (n_threads * sharing.size() <= n_cores)
    share.cores.assign(mine.cores.begin() + static_cast<std::ptrdiff_t>(place * n_threads),
                       mine.cores.begin() + static_cast<std::ptrdiff_t>((place + 1) * n_threads));
  if (wanted_threads == 0 && static_cast<int>(used.size()) < mine.online_cores && neighbours.front() == rank)
    share.warning = "host '" + mine.host + "': the launcher leaves " + std::to_string(used.size()) + " of " +
                    std::to_string(mine.online_cores) + " cores to Strake; mpirun --bind-to none gives it all";
  return share;
}

}  // namespace strake::engine

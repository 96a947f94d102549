// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How a job of ranks is started by Open MPI.

#include <filesystem>
#include <string>
#include <vector>

#include "cluster/process.hpp"

namespace strake::cluster {

struct JobSpec {
  std::filesystem::path program;       // Strake, at the same place on every host
  std::vector<std::string> arguments;  // of every rank
  int local_ranks = 1;                 // rank 0 and, where there are more, those behind it run on this host
  std::vector<std::string> hosts;      // of one rank each, behind the local ones
  std::string network;                 // of the interface that joins them, as 10.0.7.0/24; empty: Open MPI chooses
  std::filesystem::path folder;        // of this supervisor, for what Open MPI leaves
  std::string parent;                  // where ranks and launchers on this host find the supervisor
};

/// The command of mpirun. Remote daemons are started by `program launch`, in the place of ssh.
[[nodiscard]] Command mpirun_command(const JobSpec& spec);

}  // namespace strake::cluster

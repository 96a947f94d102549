// SPDX-License-Identifier: Apache-2.0
#include "cluster/mpirun.hpp"

#include <unistd.h>

#include "cluster/addresses.hpp"
#include "cluster/rank_link.hpp"

namespace strake::cluster {

Command mpirun_command(const JobSpec& spec) {
  const int n_ranks = spec.local_ranks + static_cast<int>(spec.hosts.size());
  Command command;
  command.words = {"mpirun", "--oversubscribe", "--bind-to", "none", "-np", std::to_string(n_ranks)};
  const auto add = [&](std::initializer_list<std::string> words) { command.words.insert(command.words.end(), words); };
  if (!spec.hosts.empty()) {
    std::string hosts = host_name() + ":" + std::to_string(spec.local_ranks);
    for (const std::string& host : spec.hosts) hosts += "," + host + ":1";
    // Daemons stay children of the agents, which end them; and hosts do not start each other.
    add({"--host", hosts, "--map-by", "slot", "--leave-session-attached", "--mca", "plm", "rsh", "--mca",
         "plm_rsh_agent", (spec.folder / "strake").string() + " launch", "--mca", "plm_rsh_no_tree_spawn", "1"});
  } else {
    add({"--host", host_name() + ":" + std::to_string(spec.local_ranks)});
  }
  // Names in the list are those of the agents: nobody needs to resolve them.
  add({"--mca", "if_base_do_not_resolve", "1"});
  if (!spec.network.empty())
    add({"--mca", "oob_tcp_if_include", spec.network, "--mca", "btl_tcp_if_include", spec.network});
  // Ranks that share cores must not keep them while they wait.
  if (spec.local_ranks > sysconf(_SC_NPROCESSORS_ONLN)) add({"--mca", "mpi_yield_when_idle", "1"});
  add({spec.program.string()});
  command.words.insert(command.words.end(), spec.arguments.begin(), spec.arguments.end());
  command.yields_memory = true;
  command.environment = {{parent_variable, spec.parent}, {"TMPDIR", spec.folder.string()}};
  if (geteuid() == 0)
    for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "PRTE_ALLOW_RUN_AS_ROOT",
                             "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM"})
      command.environment[name] = "1";
  return command;
}

}  // namespace strake::cluster

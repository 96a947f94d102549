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
  std::string hosts = host_name() + ":" + std::to_string(spec.local_ranks);
  for (const std::string& host : spec.hosts) hosts += "," + host + ":1";
  add({"--host", hosts, "--map-by", "slot"});
  // Daemons stay children of the agents, which end them.
  if (!spec.hosts.empty()) add({"--leave-session-attached"});
  add({spec.program.string()});
  command.words.insert(command.words.end(), spec.arguments.begin(), spec.arguments.end());
  command.yields_memory = true;
  std::map<std::string, std::string>& environment = command.environment;
  environment = {{parent_variable, spec.parent}, {"TMPDIR", spec.folder.string()}};
  // Open MPI 4 and 5 have other names for the same; each passes over the other's.
  if (!spec.hosts.empty()) {
    environment["OMPI_MCA_plm"] = "rsh";
    environment["PRTE_MCA_plm"] = "ssh";
    for (const char* name : {"OMPI_MCA_plm_rsh_agent", "PRTE_MCA_plm_ssh_agent"})
      environment[name] = (spec.folder / "strake").string() + " launch";
    // Hosts do not start each other.
    for (const char* name : {"OMPI_MCA_plm_rsh_no_tree_spawn", "PRTE_MCA_plm_ssh_no_tree_spawn"})
      environment[name] = "1";
  }
  // Names in the list are those of the agents: nobody needs to resolve them.
  for (const char* name : {"OMPI_MCA_if_base_do_not_resolve", "PRTE_MCA_prte_do_not_resolve"}) environment[name] = "1";
  if (!spec.network.empty()) {
    for (const char* name : {"OMPI_MCA_oob_tcp_if_include", "OMPI_MCA_btl_tcp_if_include"})
      environment[name] = spec.network;
    for (const char* name : {"OMPI_MCA_oob_tcp_disable_ipv6_family", "PRTE_MCA_prte_disable_ipv6_family"})
      environment[name] = "1";
    environment["OMPI_MCA_btl_tcp_disable_family"] = "6";
  }
  // Ranks that share cores must not keep them while they wait.
  if (spec.local_ranks > sysconf(_SC_NPROCESSORS_ONLN)) environment["OMPI_MCA_mpi_yield_when_idle"] = "1";
  if (geteuid() == 0)
    for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "PRTE_ALLOW_RUN_AS_ROOT",
                             "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM"})
      environment[name] = "1";
  return command;
}

}  // namespace strake::cluster

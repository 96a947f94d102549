// SPDX-License-Identifier: Apache-2.0
#include "cluster/daemon.hpp"

#include <gtest/gtest.h>

#include "core/errors.hpp"

namespace {

using namespace strake;
using namespace strake::cluster;
using Words = std::vector<std::string>;

TEST(Daemon, StartsAsOpenMpiAsks) {
  // Recorded from mpirun 4.1.4, which quotes some words for a shell and begins with a blank.
  const Words asked{" orted",
                    "-mca",
                    "orte_leave_session_attached",
                    "\"1\"",
                    "-mca",
                    "ess",
                    "\"env\"",
                    "-mca",
                    "ess_base_jobid",
                    "\"1312620544\"",
                    "-mca",
                    "orte_node_regex",
                    "\"vm,edge[1:2]@0(2)\"",
                    "-mca",
                    "orte_hnp_uri",
                    "\"1312620544.0;tcp://127.0.0.1:50469\"",
                    "--mca",
                    "plm_rsh_agent",
                    "\"/tmp/strake launch\"",
                    "--daemonize",
                    "-mca",
                    "pmix",
                    "\"^s1,s2,cray,isolated\""};
  EXPECT_EQ(daemon_command(asked),
            (Words{"orted", "-mca", "orte_leave_session_attached", "1", "-mca", "ess", "env", "-mca", "ess_base_jobid",
                   "1312620544", "-mca", "orte_node_regex", "vm,edge[1:2]@0(2)", "-mca", "orte_hnp_uri",
                   "1312620544.0;tcp://127.0.0.1:50469", "-mca", "pmix", "^s1,s2,cray,isolated"}));
}

TEST(Daemon, StartsAsOpenMpi5Asks) {
  // Recorded from mpirun 5.0.7, as Debian configures it.
  const std::string variables =
      "PRTE_PREFIX=/usr;export PRTE_PREFIX;LD_LIBRARY_PATH=/usr/lib:$LD_LIBRARY_PATH;export LD_LIBRARY_PATH;";
  const Words asked{variables + "/usr/bin/prted",
                    "--leave-session-attached",
                    "--allow-run-as-root",
                    "--prtemca",
                    "ess",
                    "\"env\"",
                    "--prtemca",
                    "ess_base_nspace",
                    "\"prterun-vm-9222@0\"",
                    "--prtemca",
                    "ess_base_vpid",
                    "1",
                    "--prtemca",
                    "prte_hnp_uri",
                    "\"prterun-vm-9222@0.0;tcp://192.0.2.2:58059:64,24;tcp6://[fd00::2]:34777:64,24\"",
                    "--prtemca",
                    "prte_if_include",
                    "\"eth0\"",
                    "--prtemca",
                    "plm_ssh_agent",
                    "\"/tmp/strake launch\"",
                    "--prtemca",
                    "plm",
                    "\"ssh\"",
                    "--prtemca",
                    "pmix_session_server",
                    "\"1\""};
  EXPECT_EQ(daemon_command(asked),
            (Words{"prted",
                   "--leave-session-attached",
                   "--allow-run-as-root",
                   "--prtemca",
                   "ess",
                   "env",
                   "--prtemca",
                   "ess_base_nspace",
                   "prterun-vm-9222@0",
                   "--prtemca",
                   "ess_base_vpid",
                   "1",
                   "--prtemca",
                   "prte_hnp_uri",
                   "prterun-vm-9222@0.0;tcp://192.0.2.2:58059:64,24;tcp6://[fd00::2]:34777:64,24",
                   "--prtemca",
                   "plm",
                   "ssh",
                   "--prtemca",
                   "pmix_session_server",
                   "1"}));
}

TEST(Daemon, IsNoOtherProgram) {
  for (const Words& words :
       {Words{}, Words{"sh"}, Words{"/tmp/orted"}, Words{"orted;sh"}, Words{"\"orted"}, Words{"PATH=/tmp", "orted"},
        Words{"prted;sh"}, Words{"prted;/bin/sh"}, Words{"/usr/bin/prted"}})
    EXPECT_THROW((void)daemon_command(words), InvalidInput);
}

TEST(Daemon, TakesNothingThatLoadsOrStartsSomething) {
  for (const Words& words :
       {Words{"orted", "-mca", "mca_base_component_path", "/tmp/evil"}, Words{"orted", "-mca", "plm_rsh_args", "x"},
        Words{"orted", "-mca", "plm", "slurm"}, Words{"prted", "--prtemca", "plm", "rsh"},
        Words{"prted", "-mca", "ess", "env"}, Words{"prted", "--prtemca", "prte_progress_thread_cpus", "0"},
        Words{"orted", "--prefix", "/tmp"}, Words{"orted", "-mca", "ess"},
        Words{"orted", "-mca", "orte_hnp_uri", "1;tcp://a$(sh)"}, Words{"orted", "-mca", "orte_hnp_uri", "a b"},
        Words{"orted", "-mca", "orte_hnp_uri", std::string(10000, '1')}, Words(1000, "orted")})
    EXPECT_THROW((void)daemon_command(words), InvalidInput) << words.back().substr(0, 100);
}

}  // namespace

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

TEST(Daemon, IsNoOtherProgram) {
  for (const Words& words :
       {Words{}, Words{"sh"}, Words{"/tmp/orted"}, Words{"orted;sh"}, Words{"\"orted"}, Words{"PATH=/tmp", "orted"}})
    EXPECT_THROW((void)daemon_command(words), InvalidInput);
}

TEST(Daemon, TakesNothingThatLoadsOrStartsSomething) {
  for (const Words& words :
       {Words{"orted", "-mca", "mca_base_component_path", "/tmp/evil"}, Words{"orted", "-mca", "plm_rsh_args", "x"},
        Words{"orted", "-mca", "plm", "slurm"}, Words{"orted", "--prefix", "/tmp"}, Words{"orted", "-mca", "ess"},
        Words{"orted", "-mca", "orte_hnp_uri", "1;tcp://a$(sh)"}, Words{"orted", "-mca", "orte_hnp_uri", "a b"},
        Words{"orted", "-mca", "orte_hnp_uri", std::string(10000, '1')}, Words(1000, "orted")})
    EXPECT_THROW((void)daemon_command(words), InvalidInput) << words.back().substr(0, 100);
}

}  // namespace

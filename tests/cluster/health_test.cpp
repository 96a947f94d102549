// SPDX-License-Identifier: Apache-2.0
#include "cluster/health.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "io/scratch_folder.hpp"

namespace strake::cluster {
namespace {

// A file system with what the kernel would tell.
class HealthOfAHost : public io::test::ScratchFolder {
 protected:
  void put(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(file(name).parent_path());
    (void)written(name, text);
  }

  [[nodiscard]] std::filesystem::path root() const { return file(""); }
};

TEST_F(HealthOfAHost, ReadsWhatThereIs) {
  put("proc/meminfo", "MemTotal:       16384000 kB\nMemAvailable:    2048000 kB\n");
  put("sys/class/thermal/thermal_zone0/temp", "41500\n");
  put("sys/class/thermal/thermal_zone1/temp", "63000\n");
  const wire::Health health = read_health(root());
  EXPECT_DOUBLE_EQ(health.memory_free_mb(), 2000);
  EXPECT_DOUBLE_EQ(health.temperature_c(), 63);
  EXPECT_DOUBLE_EQ(health.clock_mhz(), 0);
}

TEST_F(HealthOfAHost, CountsWhatTheKernelEndedOnThisHost) {
  EXPECT_EQ(ended_for_memory(root()), 0U);
  put("proc/vmstat", "nr_free_pages 5\noom_kill 3\n");
  EXPECT_EQ(ended_for_memory(root()), 3U);
}

TEST_F(HealthOfAHost, AControlGroupCountsItsOwn) {
  put("proc/vmstat", "oom_kill 3\n");
  put("proc/self/cgroup", "0::/system.slice/strake-node.service\n");
  // The root group, or one without the controller, has no such file.
  EXPECT_EQ(ended_for_memory(root()), 3U);
  put("sys/fs/cgroup/system.slice/strake-node.service/memory.events", "oom 2\noom_kill 1\noom_group_kill 0\n");
  EXPECT_EQ(ended_for_memory(root()), 1U);
}

TEST_F(HealthOfAHost, SoDoesOneOfVersionOne) {
  put("proc/vmstat", "oom_kill 3\n");
  put("proc/self/cgroup", "9:name=systemd:/\n4:memory:/edge/node1\n0::/\n");
  put("sys/fs/cgroup/memory/edge/node1/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n");
  EXPECT_EQ(ended_for_memory(root()), 7U);
}

}  // namespace
}  // namespace strake::cluster

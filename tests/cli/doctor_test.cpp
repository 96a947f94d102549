// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

namespace strake::cli {
namespace {

namespace fs = std::filesystem;

HostFacts healthy(const std::string& host) {
  HostFacts facts;
  facts.host = host;
  facts.build = "0.1.0+abc";
  facts.cpu = "Cortex-A76";
  facts.kernel_library = "oneDNN 2.6";
  facts.instruction_set = "NEON";
  facts.mpi = "Open MPI 4.1.4";
  facts.allowed_cores = facts.online_cores = 4;
  facts.load = 0.1;
  facts.governor = "performance";
  facts.clock_mhz = facts.most_mhz = 2400;
  facts.temperature_c = 50;
  facts.memory_mb = 8000;
  facts.memory_free_mb = 6000;
  facts.cache_folder = "/home/pi/.cache/strake";
  facts.cache_free_mb = 10000;
  facts.interfaces = {{"eth0", "10.0.0.1", 1000}};
  facts.names = {{"a", {"10.0.0.1"}}, {"b", {"10.0.0.2"}}};
  return facts;
}

std::vector<std::vector<Link>> links(double mbit, double latency_us) {
  const Link link{.latency_us = latency_us, .us_per_byte = 8 / mbit};
  return {{{}, link}, {link, {}}};
}

TEST(Doctor, SaysNothingOfAHealthyCluster) {
  EXPECT_TRUE(diagnose({healthy("a"), healthy("b")}, links(940, 60)).empty());
  EXPECT_TRUE(diagnose({healthy("a")}, {}).empty());
}

// One illness at a time, of the second host: it is found, named with its numbers, and nothing else is.
struct Illness {
  std::function<void(HostFacts&)> make;
  Gravity gravity;
  std::string says;
};

TEST(Doctor, FindsEachIllnessAndNothingElse) {
  const std::vector<Illness> illnesses{
      {[](HostFacts& f) { f.build = "0.2.0"; }, Gravity::problem, "runs Strake 0.2.0, a runs 0.1.0+abc"},
      {[](HostFacts& f) { f.mpi = "Open MPI 5.0"; }, Gravity::problem, "has 'Open MPI 5.0'"},
      {[](HostFacts& f) { f.kernel_library = "oneDNN 3.7"; }, Gravity::advice, "has oneDNN 3.7"},
      {[](HostFacts& f) { f.instruction_set = "SVE"; }, Gravity::advice, "computes with SVE, a with NEON"},
      {[](HostFacts& f) { f.allowed_cores = 1; }, Gravity::advice, "may use 1 of its 4 cores"},
      {[](HostFacts& f) { f.ranks = 5; }, Gravity::problem, "has 5 ranks on 4 cores"},
      {[](HostFacts& f) { f.quota_cores = 0.7; }, Gravity::advice, "0.70 cores' time"},
      {[](HostFacts& f) { f.load = 3; }, Gravity::advice, "load 3.0 on 4 cores"},
      {[](HostFacts& f) { f.governor = "powersave"; }, Gravity::advice, "'powersave'"},
      {[](HostFacts& f) { f.temperature_c = 90; }, Gravity::advice, "90 degrees"},
      {[](HostFacts& f) { f.throttled = 12; }, Gravity::advice, "12 times"},
      {[](HostFacts& f) { f.clock_ahead_ms = -5000; }, Gravity::advice, "5.0 s behind"},
      {[](HostFacts& f) { f.memory_free_mb = 100; }, Gravity::problem, "100 of 8000 MB free"},
      {[](HostFacts& f) { f.swap_used_mb = 500; }, Gravity::advice, "500 MB"},
      {[](HostFacts& f) { f.cache_writable = false; }, Gravity::advice, "/home/pi/.cache/strake"},
      {[](HostFacts& f) { f.cache_free_mb = 3; }, Gravity::advice, "3 MB of disk"},
      {[](HostFacts& f) { f.loose_keys = {"/k/identity.key"}; }, Gravity::problem, "/k/identity.key"},
      {[](HostFacts& f) { f.names[0].addresses.clear(); }, Gravity::problem, "does not know the name 'a'"},
      {[](HostFacts& f) { f.names[0].addresses = {"127.0.1.1"}; }, Gravity::problem, "takes 'a' for itself"},
      {[](HostFacts& f) { f.names[1].addresses = {"127.0.1.1"}; }, Gravity::advice, "its own name to 127.0.1.1"},
      {[](HostFacts& f) {
         f.interfaces.push_back({"wlan0", "192.168.0.7", 100});
       },
       Gravity::advice, "wlan0 192.168.0.7"},
  };
  for (const Illness& illness : illnesses) {
    HostFacts ill = healthy("b");
    illness.make(ill);
    const std::vector<Finding> findings = diagnose({healthy("a"), ill}, links(940, 60));
    ASSERT_EQ(findings.size(), 1U) << illness.says;
    EXPECT_EQ(findings.front().gravity, illness.gravity) << illness.says;
    EXPECT_EQ(findings.front().where, "b") << illness.says;
    EXPECT_NE(findings.front().what.find(illness.says), std::string::npos) << findings.front().what;
    EXPECT_FALSE(findings.front().remedy.empty());
  }
}

TEST(Doctor, ComparesLinksWithWhatTheyClaim) {
  const std::vector<HostFacts> facts{healthy("a"), healthy("b")};
  const std::vector<Finding> slow = diagnose(facts, links(95, 60));
  ASSERT_EQ(slow.size(), 2U);
  EXPECT_EQ(slow.front().where, "a -> b");
  EXPECT_NE(slow.front().what.find("95 Mbit/s, its interfaces claim 1000"), std::string::npos);
  const std::vector<Finding> far = diagnose(facts, links(940, 4000));
  ASSERT_EQ(far.size(), 2U);
  EXPECT_NE(far.front().what.find("4.0 ms"), std::string::npos);
  // Ranks of one host are no network.
  EXPECT_TRUE(diagnose({healthy("a"), healthy("a")}, links(95, 4000)).empty());
}

TEST(Doctor, ProblemsComeFirst) {
  HostFacts hot = healthy("a");
  hot.temperature_c = 95;
  HostFacts full = healthy("b");
  full.memory_free_mb = 10;
  const std::vector<Finding> findings = diagnose({hot, full}, links(940, 60));
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].where, "b");
  EXPECT_EQ(findings[1].where, "a");
}

TEST(HostFactsTest, AreReadFromTheSystemsFiles) {
  const fs::path root = fs::path(testing::TempDir()) / "strake_host_facts";
  const auto write = [&](const std::string& file, const std::string& text) {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text;
  };
  write("proc/loadavg", "1.25 0.80 0.50 2/300 4711\n");
  write("proc/meminfo",
        "MemTotal:        8192000 kB\nMemFree: 1 kB\nMemAvailable:    4096000 kB\nSwapTotal:  204800 kB\n"
        "SwapFree:   102400 kB\n");
  write("proc/self/cgroup", "0::/edge/host1\n");
  write("sys/fs/cgroup/edge/cpu.max", "200000 100000\n");
  write("sys/fs/cgroup/edge/host1/cpu.max", "2800 4000\n");
  write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "ondemand\n");
  write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1500000\n");
  write("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "2400000\n");
  write("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "7\n");
  write("sys/class/thermal/thermal_zone0/temp", "45000\n");
  write("sys/class/thermal/thermal_zone1/temp", "61500\n");
  const HostFacts facts = local_facts(root);
  EXPECT_DOUBLE_EQ(facts.load, 1.25);
  EXPECT_DOUBLE_EQ(facts.memory_mb, 8000);
  EXPECT_DOUBLE_EQ(facts.memory_free_mb, 4000);
  EXPECT_DOUBLE_EQ(facts.swap_used_mb, 100);
  EXPECT_DOUBLE_EQ(facts.quota_cores, 0.7);
  EXPECT_EQ(facts.governor, "ondemand");
  EXPECT_DOUBLE_EQ(facts.clock_mhz, 1500);
  EXPECT_DOUBLE_EQ(facts.most_mhz, 2400);
  EXPECT_DOUBLE_EQ(facts.throttled, 7);
  EXPECT_DOUBLE_EQ(facts.temperature_c, 61.5);
  fs::remove_all(root);
}

TEST(HostFactsTest, AHostThatTellsNothingIsNoError) {
  const HostFacts facts = local_facts("/no/such/root");
  EXPECT_EQ(facts.memory_mb, 0);
  EXPECT_EQ(facts.governor, "");
  EXPECT_GE(facts.online_cores, 1);
}

TEST(HostFactsTest, TravelAsJson) {
  HostFacts facts = healthy("a");
  facts.loose_keys = {"x"};
  facts.clock_ahead_ms = -3;
  EXPECT_EQ(to_json(facts_from_json(to_json(facts))), to_json(facts));
  EXPECT_EQ(facts_from_json(to_json(facts)).names[1].addresses, facts.names[1].addresses);
}

TEST(HostFactsTest, LoopbackIsKnownByItsName) {
  const std::vector<NameFacts> names = resolve({"localhost", "no-such-host.invalid"});
  ASSERT_EQ(names.size(), 2U);
  EXPECT_NE(std::ranges::find(names[0].addresses, "127.0.0.1"), names[0].addresses.end());
  EXPECT_TRUE(names[1].addresses.empty());
}

ClusterStanding served() {
  return {.host = "edge1",
          .job = "ready",
          .refused = 0,
          .nodes = {{.name = "a", .host = "edge2", .there = true, .in_job = true, .answered = true, .losses = 1}}};
}

TEST(Doctor, SaysNothingOfAHealthyClusterThatIsServed) { EXPECT_TRUE(diagnose(served()).empty()); }

TEST(Doctor, FindsWhatNodesSufferFrom) {
  struct Case {
    std::function<void(ClusterStanding&)> make;
    Gravity gravity;
    std::string where;
    std::string says;
  };
  const std::vector<Case> cases{
      {[](ClusterStanding& c) { c.job = "none"; }, Gravity::problem, "cluster", "its job is 'none'"},
      {[](ClusterStanding& c) { c.refused = 3; }, Gravity::advice, "cluster", "refused 3 messages"},
      {[](ClusterStanding& c) { c.nodes[0].there = false, c.nodes[0].heard_ms = 9000; }, Gravity::problem, "node a",
       "nothing was heard of 'edge2' for 9 s"},
      {[](ClusterStanding& c) { c.nodes[0].slow_link = true, c.nodes[0].echo_ms = 812; }, Gravity::problem, "node a",
       "the last echo took 812 ms"},
      {[](ClusterStanding& c) { c.nodes[0].answered = false; }, Gravity::problem, "node a", "does not say how it is"},
      {[](ClusterStanding& c) { c.nodes[0].losses = 4; }, Gravity::advice, "node a", "lost 4 times"},
      {[](ClusterStanding& c) { c.host = "edge2"; }, Gravity::problem, "node a",
       "on 'edge2', as the supervisor's host is"},
      {[](ClusterStanding& c) { c.nodes.push_back(c.nodes[0]), c.nodes[1].name = "b"; }, Gravity::problem, "node b",
       "on 'edge2', as node a is"}};
  for (const Case& one : cases) {
    ClusterStanding cluster = served();
    one.make(cluster);
    const std::vector<Finding> findings = diagnose(cluster);
    ASSERT_EQ(findings.size(), 1U) << one.says;
    EXPECT_EQ(findings[0].gravity, one.gravity) << one.says;
    EXPECT_EQ(findings[0].where, one.where);
    EXPECT_NE(findings[0].what.find(one.says), std::string::npos) << findings[0].what;
    EXPECT_FALSE(findings[0].remedy.empty());
  }
}

}  // namespace
}  // namespace strake::cli

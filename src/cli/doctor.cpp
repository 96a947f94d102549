// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "cluster/addresses.hpp"

namespace strake::cli {

namespace {

// Limits beyond which something is said.
constexpr double busy_load = 0.3;  // per core, of other programs
constexpr double hot_c = 85;
constexpr double little_memory_mb = 512;
constexpr double little_disk_mb = 64;
constexpr double much_swap_mb = 64;
constexpr double slow_clock = 0.8;      // of the fastest that the processor can
constexpr double large_skew_ms = 1000;  // logs of hosts can no longer be compared
constexpr double least_of_claim = 0.5;  // of the speed that an interface claims
constexpr double long_latency_us = 1000;
constexpr int many_losses = 2;

class Findings {
 public:
  void problem(const std::string& where, std::string what, std::string remedy) {
    all_.push_back({Gravity::problem, where, std::move(what), std::move(remedy)});
  }
  void advice(const std::string& where, std::string what, std::string remedy) {
    all_.push_back({Gravity::advice, where, std::move(what), std::move(remedy)});
  }
  std::vector<Finding> sorted() && {
    std::ranges::stable_sort(all_, {}, &Finding::gravity);
    return std::move(all_);
  }

 private:
  std::vector<Finding> all_;
};

void compare_builds(const std::vector<HostFacts>& facts, Findings& out) {
  const HostFacts& root = facts.front();
  for (const HostFacts& one : facts) {
    if (one.build != root.build)
      out.problem(one.host, fmt::format("runs Strake {}, {} runs {}", one.build, root.host, root.build),
                  "install the same build on all hosts: ranks of other builds are refused");
    if (one.mpi != root.mpi)
      out.problem(one.host, fmt::format("has '{}', {} has '{}'", one.mpi, root.host, root.mpi),
                  "install the same version of MPI on all hosts: others may hang where they meet");
    if (one.kernel_library != root.kernel_library)
      out.advice(one.host, fmt::format("has {}, {} has {}", one.kernel_library, root.host, root.kernel_library),
                 "install the same version, or do without --exact, which refuses this");
    if (one.instruction_set != root.instruction_set)
      out.advice(one.host,
                 fmt::format("computes with {}, {} with {}", one.instruction_set, root.host, root.instruction_set),
                 "nothing: measured speeds allow for it. --exact takes the lower one on all hosts");
  }
}

void look_at_cores(const HostFacts& one, Findings& out) {
  if (one.allowed_cores < one.online_cores && one.ranks <= 1)
    out.advice(one.host, fmt::format("may use {} of its {} cores", one.allowed_cores, one.online_cores),
               "start ranks with --bind-to none, or one rank for each part of the cores");
  if (one.ranks > one.online_cores)
    out.problem(one.host, fmt::format("has {} ranks on {} cores", one.ranks, one.online_cores),
                "give it fewer slots in the hostfile: ranks that share a core wait for each other");
  if (one.quota_cores > 0 && one.quota_cores < one.allowed_cores)
    out.advice(
        one.host,
        fmt::format("gets {:.2f} cores' time of {} cores by a control group", one.quota_cores, one.allowed_cores),
        "raise the quota, or expect pauses of milliseconds in frames");
  if (one.load > busy_load * one.online_cores + 1)
    out.advice(one.host, fmt::format("is busy: load {:.1f} on {} cores", one.load, one.online_cores),
               "end what else runs there, or measure again when it is quiet: profiles would hold its share");
}

void look_at_clock(const HostFacts& one, Findings& out) {
  if (one.governor == "powersave" || one.governor == "conservative" || one.governor == "ondemand")
    out.advice(one.host, fmt::format("changes its clock by the governor '{}'", one.governor),
               "cpupower frequency-set -g performance: frames have pauses, in which it would slow down");
  if (one.clock_mhz > 0 && one.clock_mhz < slow_clock * one.most_mhz && one.temperature_c > hot_c - 10)
    out.advice(one.host, fmt::format("runs at {:.0f} of {:.0f} MHz", one.clock_mhz, one.most_mhz),
               "see to its cooling and power supply");
  if (one.temperature_c >= hot_c)
    out.advice(one.host, fmt::format("is {:.0f} degrees hot", one.temperature_c),
               "see to its cooling: it will slow down, or does already");
  if (one.throttled > 0)
    out.advice(one.host, fmt::format("was slowed down by heat {:.0f} times since it started", one.throttled),
               "see to its cooling; live balance shifts work away meanwhile");
  if (std::abs(one.clock_ahead_ms) > large_skew_ms + one.clock_error_ms)
    out.advice(one.host,
               fmt::format("has a clock {:.1f} s {} the first host's", std::abs(one.clock_ahead_ms) / 1000,
                           one.clock_ahead_ms > 0 ? "ahead of" : "behind"),
               "run a time service (systemd-timesyncd or chrony), so that logs can be compared");
}

void look_at_memory(const HostFacts& one, Findings& out) {
  if (one.memory_free_mb > 0 && one.memory_free_mb < little_memory_mb)
    out.problem(one.host, fmt::format("has {:.0f} of {:.0f} MB free", one.memory_free_mb, one.memory_mb),
                "free memory, or give --max-memory or --objective memory");
  if (one.swap_used_mb > much_swap_mb)
    out.advice(one.host, fmt::format("has swapped {:.0f} MB out", one.swap_used_mb),
               "free memory: a frame that waits for a disk takes seconds");
  if (!one.cache_writable)
    out.advice(one.host, fmt::format("cannot keep measurements in {}", one.cache_folder),
               "set XDG_CACHE_HOME to a folder that can be written, or each start measures again");
  else if (one.cache_free_mb < little_disk_mb)
    out.advice(one.host, fmt::format("has {:.0f} MB of disk left for {}", one.cache_free_mb, one.cache_folder),
               "free space, or each start measures again");
  for (const std::string& key : one.loose_keys)
    out.problem(one.host, fmt::format("lets others read its secret key {}", key), fmt::format("chmod 600 {}", key));
}

bool is_loopback(const std::string& address) { return cluster::is_loopback({.host = address}); }

void look_at_names(const HostFacts& one, Findings& out) {
  for (const NameFacts& name : one.names) {
    if (name.name == one.host) {
      const bool all_loopback = !name.addresses.empty() && std::ranges::all_of(name.addresses, is_loopback);
      if (all_loopback && one.names.size() > 1)
        out.advice(one.host, fmt::format("resolves its own name to {} only", name.addresses.front()),
                   "give the name its network address in /etc/hosts");
    } else if (name.addresses.empty()) {
      out.problem(one.host, fmt::format("does not know the name '{}'", name.name),
                  "add it to DNS or /etc/hosts, or use addresses in the hostfile");
    } else if (std::ranges::all_of(name.addresses, is_loopback)) {
      out.problem(one.host, fmt::format("takes '{}' for itself ({})", name.name, name.addresses.front()),
                  "correct /etc/hosts: messages to that host would come back");
    }
  }
  // Where nobody asked for names Open MPI is told by strake serve.
  if (one.names.size() > 1 && one.interfaces.size() > 1) {
    std::string list;
    for (const InterfaceFacts& interface : one.interfaces)
      list += (list.empty() ? "" : ", ") + interface.name + " " + interface.address;
    out.advice(one.host, fmt::format("has several networks: {}", list),
               "tell MPI which one is the cluster's: --mca btl_tcp_if_include NETWORK/BITS, and the same for oob_tcp");
  }
}

void look_at_node(const NodeStanding& node, Findings& out) {
  const std::string where = "node " + node.name;
  if (!node.there)
    out.problem(where, fmt::format("is lost: nothing was heard of '{}' for {:.0f} s", node.host, node.heard_ms / 1000),
                "see whether strake node runs there, and whether it reaches this address");
  else if (node.slow_link)
    out.problem(where, fmt::format("hangs on a link that has become slow: the last echo took {:.0f} ms", node.echo_ms),
                "look at cables, radio and what else uses the link; the node joins again when it is as it was");
  else if (!node.answered)
    out.problem(where, "beats, but does not say how it is", "look at its log: it has too much to do, or its link has");
  if (node.there && node.losses >= many_losses)
    out.advice(where, fmt::format("was lost {} times lately", node.losses),
               "look at its log, power supply and network; each loss lets it wait longer before it joins");
}

// Open MPI tells hosts apart by their names.
void look_at_host_names(const ClusterStanding& cluster, Findings& out) {
  std::map<std::string, std::string> owners{{cluster.host, "the supervisor's host"}};
  for (const NodeStanding& node : cluster.nodes) {
    if (!node.there) continue;
    const auto [owner, is_new] = owners.emplace(node.host, "node " + node.name);
    if (is_new) continue;
    out.problem("node " + node.name,
                fmt::format("is on '{}', as {} is: only one of them takes part", node.host, owner->second),
                "where they are one host, end this node; else give each host a name of its own (hostnamectl)");
  }
}

double fastest_claim(const HostFacts& one) {
  double most = 0;
  for (const InterfaceFacts& interface : one.interfaces) most = std::max(most, interface.claimed_mbit);
  return most;
}

// Bits per microsecond are Mbit/s.
void look_at_links(const std::vector<HostFacts>& facts, const std::vector<std::vector<Link>>& links, Findings& out) {
  std::set<std::pair<std::string, std::string>> seen;
  for (std::size_t src = 0; src < links.size(); ++src)
    for (std::size_t dst = 0; dst < links.size(); ++dst) {
      const Link& link = links[src][dst];
      if (src == dst || facts[src].host == facts[dst].host || link.us_per_byte <= 0) continue;
      if (!seen.emplace(facts[src].host, facts[dst].host).second) continue;
      const std::string where = facts[src].host + " -> " + facts[dst].host;
      const double mbit = 8 / link.us_per_byte;
      const double claim = std::min(fastest_claim(facts[src]), fastest_claim(facts[dst]));
      if (claim > 0 && mbit < least_of_claim * claim)
        out.advice(where, fmt::format("carries {:.0f} Mbit/s, its interfaces claim {:.0f}", mbit, claim),
                   "look at cables, switch, duplex and what else uses it");
      if (link.latency_us > long_latency_us)
        out.advice(where, fmt::format("takes {:.1f} ms for a small message", link.latency_us / 1000),
                   "wire it, or expect plans with few exchanges");
    }
}

}  // namespace

std::vector<Finding> diagnose(const ClusterStanding& cluster) {
  Findings out;
  if (cluster.job != "ready")
    out.problem("cluster", fmt::format("computes nothing: its job is '{}'", cluster.job),
                "wait until it is ready, or look at the supervisor's log");
  if (cluster.refused > 0)
    out.advice("cluster", fmt::format("has refused {:.0f} messages", cluster.refused),
               "look at the supervisor's log: keys that do not count any more, or nodes with another build");
  for (const NodeStanding& node : cluster.nodes) look_at_node(node, out);
  look_at_host_names(cluster, out);
  return std::move(out).sorted();
}

std::vector<Finding> diagnose(const std::vector<HostFacts>& facts, const std::vector<std::vector<Link>>& links) {
  Findings out;
  std::vector<HostFacts> hosts;
  for (const HostFacts& one : facts)
    if (std::ranges::none_of(hosts, [&](const HostFacts& other) { return other.host == one.host; }))
      hosts.push_back(one);
  if (!hosts.empty()) compare_builds(hosts, out);
  for (const HostFacts& one : hosts) {
    look_at_cores(one, out);
    look_at_clock(one, out);
    look_at_memory(one, out);
    look_at_names(one, out);
  }
  look_at_links(facts, links, out);
  return std::move(out).sorted();
}

}  // namespace strake::cli

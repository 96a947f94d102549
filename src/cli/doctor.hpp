// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What is wrong with a cluster, and what to do about it.

#include <string>
#include <vector>

#include "cli/host_facts.hpp"
#include "core/profile.hpp"

namespace strake::cli {

/// problem: it will not work, or not as it should; advice: it works, but slower or less steadily than it could.
enum class Gravity : unsigned char { problem, advice };

struct Finding {
  Gravity gravity = Gravity::advice;
  std::string where;  // host, link or "cluster"
  std::string what;
  std::string remedy;
};

/// A node as its supervisor sees it.
struct NodeStanding {
  std::string name;
  std::string host;
  bool there = false;
  bool in_job = false;
  bool answered = false;  // said lately how its host is, in words that this version knows
  bool slow_link = false;
  double heard_ms = 0;  // since its last beat
  double echo_ms = 0;   // what some kilobytes took there and back
  int losses = 0;       // lately
};

struct ClusterStanding {
  std::string host;    // the supervisor's
  std::string job;     // none, starting, ready, ending
  double refused = 0;  // messages of who may not come in, or has another build
  std::vector<NodeStanding> nodes;
};

/// Of a cluster that is served, beside what its hosts say. Problems first.
[[nodiscard]] std::vector<Finding> diagnose(const ClusterStanding& cluster);

/// Problems first, then in the order of hosts.
/// @param facts  by rank; hosts with several ranks are looked at once
/// @param links  [src][dst] by rank; may be empty
[[nodiscard]] std::vector<Finding> diagnose(const std::vector<HostFacts>& facts,
                                            const std::vector<std::vector<Link>>& links);

}  // namespace strake::cli

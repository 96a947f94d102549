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

/// Problems first, then in the order of hosts.
/// @param facts  by rank; hosts with several ranks are looked at once
/// @param links  [src][dst] by rank; may be empty
[[nodiscard]] std::vector<Finding> diagnose(const std::vector<HostFacts>& facts,
                                            const std::vector<std::vector<Link>>& links);

}  // namespace strake::cli

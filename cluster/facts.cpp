// SPDX-License-Identifier: Apache-2.0
#include "cluster/facts.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace strake::cluster {

std::int64_t wall_clock_ms() {
  using std::chrono::milliseconds;
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

bool FactsOfNodes::ask(const std::string& peer, Time now) {
  if (asked_.size() >= most_who_ask) return false;
  asked_.push_back({peer, now});
  return true;
}

void FactsOfNodes::answered(const std::string& node, std::string json, std::int64_t ahead_ms, Time now) {
  if (json.empty() || json.size() > most_bytes) return;
  facts_[node] = {.json = std::move(json), .ahead_ms = ahead_ms, .came = now};
}

std::vector<std::string> FactsOfNodes::ready(const std::vector<std::string>& nodes, Time now) {
  std::vector<std::string> peers;
  std::erase_if(asked_, [&](const Asked& asked) {
    const bool all_came = std::ranges::all_of(nodes, [&](const std::string& node) {
      const auto found = facts_.find(node);
      return found != facts_.end() && found->second.came >= asked.at;
    });
    if (!all_came && now - asked.at < longest_wait) return false;
    peers.push_back(asked.peer);
    return true;
  });
  return peers;
}

std::string FactsOfNodes::to_json(const std::string& own, const std::vector<std::string>& nodes,
                                  const std::string& state, Time now) const {
  nlohmann::json hosts = nlohmann::json::array();
  hosts.push_back({{"node", ""}, {"facts", own}});
  for (const std::string& node : nodes) {
    nlohmann::json host{{"node", node}};
    const auto found = facts_.find(node);
    if (found != facts_.end() && now - found->second.came <= 2 * longest_wait) {
      host["facts"] = found->second.json;
      host["clock_ahead_ms"] = found->second.ahead_ms;
    }
    hosts.push_back(std::move(host));
  }
  const nlohmann::json all{{"hosts", std::move(hosts)}, {"state", nlohmann::json::parse(state)}};
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace strake::cluster

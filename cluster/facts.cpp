// SPDX-License-Identifier: Apache-2.0
#include "cluster/facts.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cluster/clock.hpp"
#include "core/log.hpp"

namespace strake::cluster {

std::int64_t wall_clock_ms() {
  using std::chrono::milliseconds;
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string facts_from(const std::function<std::string()>& facts) {
  try {
    return facts ? facts() : "";
  } catch (const std::exception& error) {
    log(LogLevel::warning, std::string("this host does not say how it is: ") + error.what());
    return "";
  }
}

FactsOfNodes::Verdict FactsOfNodes::ask(const std::string& peer, Time now) {
  if (std::ranges::none_of(asked_, [&](const Asked& asked) { return asked.peer == peer; })) {
    if (asked_.size() >= most_who_ask) return Verdict::too_many;
    asked_.push_back({peer, now});
  }
  if (nodes_asked_ && now - *nodes_asked_ < fresh_for) return Verdict::wait;
  nodes_asked_ = now;
  return Verdict::ask_nodes;
}

void FactsOfNodes::answered(const std::string& node, std::string json, double ahead_ms, Time now) {
  if (json.size() > most_bytes || !nlohmann::json::accept(json)) return;
  facts_[node] = {.json = std::move(json),
                  .ahead_ms = ahead_ms,
                  .error_ms = nodes_asked_ ? in_ms(now - *nodes_asked_) : 0,
                  .came = now};
}

std::vector<std::string> FactsOfNodes::ready(const std::vector<std::string>& nodes, Time now) {
  std::vector<std::string> peers;
  std::erase_if(asked_, [&](const Asked& asked) {
    const bool all_came = std::ranges::all_of(nodes, [&](const std::string& node) {
      const auto found = facts_.find(node);
      return found != facts_.end() && found->second.came >= asked.at - fresh_for;
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
  std::size_t n_bytes = 0;
  for (const std::string& node : nodes) {
    nlohmann::json host{{"node", node}};
    const auto found = facts_.find(node);
    if (found != facts_.end() && now - found->second.came <= 2 * longest_wait && n_bytes < most_bytes_of_all) {
      n_bytes += 2 * found->second.json.size();  // quotes within a text are two
      host["facts"] = found->second.json;
      host["clock_ahead_ms"] = found->second.ahead_ms;
      host["clock_error_ms"] = found->second.error_ms;
    }
    hosts.push_back(std::move(host));
  }
  const nlohmann::json all{{"hosts", std::move(hosts)}, {"state", nlohmann::json::parse(state)}};
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace strake::cluster

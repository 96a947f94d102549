// SPDX-License-Identifier: Apache-2.0
#include "cluster/membership.hpp"

#include <algorithm>

namespace strake::cluster {

void Membership::registered(const std::string& name, const std::string& peer, const std::string& key,
                            const wire::Register& about, Time now) {
  Node& node = nodes_[name];
  const bool same = node.there && node.about.incarnation() == about.incarnation();
  // An agent that was started again while nobody noticed has lost what it had started.
  if (node.there && !same) lose(name, now);
  node.peer = peer;
  node.key = key;
  node.about = about;
  node.heard = now;
  if (!same) {
    node.steady_since = now;
    node.ranks.clear();
  }
  node.there = true;
}

bool Membership::beat(const std::string& name, const std::string& peer, const wire::Beat& beat, Time now) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end() || !found->second.there) return false;
  Node& node = found->second;
  if (node.about.incarnation() != beat.incarnation()) return false;
  node.peer = peer;
  node.heard = now;
  node.health = beat.health();
  node.ranks.assign(beat.ranks().begin(), beat.ranks().end());
  if (node.losses > 0 && now - node.lost > limits_.forgive_after) node.losses = 0;
  return true;
}

void Membership::lose(const std::string& name, Time now) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end() || !found->second.there) return;
  found->second.there = false;
  found->second.ranks.clear();
  ++found->second.losses;
  found->second.lost = now;
}

void Membership::unsettle(const std::string& name, Time now) {
  const auto found = nodes_.find(name);
  if (found != nodes_.end()) found->second.steady_since = now;
}

std::vector<std::string> Membership::fallen_silent(Time now) {
  std::vector<std::string> silent;
  for (const auto& [name, node] : nodes_)
    if (node.there && now - node.heard > limits_.lost_after) silent.push_back(name);
  for (const std::string& name : silent) lose(name, now);
  return silent;
}

bool Membership::is_steady(const Node& node, Time now) const {
  if (!node.there) return false;
  if (node.losses == 0) return true;
  return now - node.steady_since >= limits_.steady_for * (1 << std::min(node.losses - 1, 4));
}

std::vector<std::string> Membership::steady(Time now) const {
  std::vector<std::string> names;
  for (const auto& [name, node] : nodes_)
    if (is_steady(node, now)) names.push_back(name);
  return names;
}

const Membership::Node* Membership::node(const std::string& name) const {
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : &found->second;
}

}  // namespace strake::cluster

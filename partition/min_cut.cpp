// SPDX-License-Identifier: Apache-2.0
#include "partition/min_cut.hpp"

#include <algorithm>

namespace strake::partition {

namespace {

// Of the largest capacity: what is left of an edge below this is rounding.
constexpr double flow_rounding = 1e-13;

}  // namespace

void MinCut::add_edge(int from, int to, double capacity) {
  if (capacity <= 0) return;
  if (capacity < unlimited) negligible_ = std::max(negligible_, flow_rounding * capacity);
  for (const auto& [src, dst, left] : {Edge{from, to, capacity}, Edge{to, from, 0}}) {
    int& first = first_[static_cast<std::size_t>(src)];
    edges_.push_back({dst, first, left});
    first = static_cast<int>(edges_.size()) - 1;
  }
}

bool MinCut::find_levels(int source, int sink) {
  level_.assign(first_.size(), -1);
  level_[static_cast<std::size_t>(source)] = 0;
  std::vector<int> reached = {source};
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const auto node = static_cast<std::size_t>(reached[i]);
    for (int id = first_[node]; id >= 0; id = edges_[static_cast<std::size_t>(id)].next) {
      const Edge& edge = edges_[static_cast<std::size_t>(id)];
      int& level = level_[static_cast<std::size_t>(edge.to)];
      if (edge.left <= negligible_ || level >= 0) continue;
      level = level_[node] + 1;
      reached.push_back(edge.to);
    }
  }
  return level_[static_cast<std::size_t>(sink)] >= 0;
}

double MinCut::push(int node, int sink, double most) {
  if (node == sink) return most;
  const auto place = static_cast<std::size_t>(node);
  for (int& id = current_[place]; id >= 0; id = edges_[static_cast<std::size_t>(id)].next) {
    Edge& edge = edges_[static_cast<std::size_t>(id)];
    if (edge.left <= negligible_ || level_[static_cast<std::size_t>(edge.to)] != level_[place] + 1) continue;
    const double pushed = push(edge.to, sink, std::min(most, edge.left));
    if (pushed <= 0) continue;
    edge.left -= pushed;
    edges_[static_cast<std::size_t>(id ^ 1)].left += pushed;
    return pushed;
  }
  return 0;
}

double MinCut::solve(int source, int sink) {
  double flow = 0;
  while (find_levels(source, sink)) {
    current_ = first_;
    for (double pushed = push(source, sink, unlimited); pushed > 0; pushed = push(source, sink, unlimited))
      flow += pushed;
  }
  return flow;
}

}  // namespace strake::partition

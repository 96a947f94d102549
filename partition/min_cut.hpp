// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Minimum cuts of directed networks.

#include <limits>
#include <vector>

namespace strake::partition {

/// A network whose edges have capacities; built once, then solved.
class MinCut {
 public:
  static constexpr double unlimited = std::numeric_limits<double>::infinity();

  explicit MinCut(int n_nodes) : first_(static_cast<std::size_t>(n_nodes), -1) {}

  /// @param capacity  0 or more; edges of 0 are left out
  void add_edge(int from, int to, double capacity);

  /// A flow from `source` to `sink`, the greatest but for rounding: never more than the least cut.
  /// Source: E. A. Dinic, "Algorithm for solution of a problem of maximum flow in networks with power estimation",
  /// 1970.
  double solve(int source, int sink);

  /// After `solve`: whether the node lies on the source's side of a least cut.
  [[nodiscard]] bool with_source(int node) const { return level_[static_cast<std::size_t>(node)] >= 0; }

 private:
  struct Edge {
    int to = 0;
    int next = -1;  // edge of the same node
    double left = 0;
  };

  bool find_levels(int source, int sink);
  double push(int node, int sink, double most);

  std::vector<int> first_;   // [node]: its first edge
  std::vector<Edge> edges_;  // each followed by the one back
  std::vector<int> level_;
  std::vector<int> current_;  // [node]: the edge to try next
  double negligible_ = 0;
};

}  // namespace strake::partition

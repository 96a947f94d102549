// SPDX-License-Identifier: Apache-2.0
#include "partition/min_cut.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.hpp"

namespace strake::partition {
namespace {

struct Edge {
  int from = 0;
  int to = 0;
  double capacity = 0;
};

// Over all sets of nodes with node 0 and without node 1.
double least_cut(int n_nodes, const std::vector<Edge>& edges) {
  double least = MinCut::unlimited;
  for (unsigned set = 0; set < (1U << n_nodes); ++set) {
    if ((set & 1U) == 0 || (set & 2U) != 0) continue;
    double capacity = 0;
    for (const Edge& edge : edges)
      if ((set >> edge.from & 1U) != 0 && (set >> edge.to & 1U) == 0) capacity += edge.capacity;
    least = std::min(least, capacity);
  }
  return least;
}

TEST(MinCut, IsTheLeastOfAllCuts) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    test::Random random(seed);
    const int n_nodes = static_cast<int>(test::pick(random, 2, 8));
    std::vector<Edge> edges;
    MinCut network(n_nodes);
    for (Index i = test::pick(random, 0, 20); i > 0; --i) {
      Edge edge{static_cast<int>(test::pick(random, 0, n_nodes - 1)),
                static_cast<int>(test::pick(random, 0, n_nodes - 1)),
                static_cast<double>(test::pick(random, 0, 50)) / 7};
      if (edge.from > 1 && edge.to > 1 && test::pick(random, 0, 4) == 0) edge.capacity = MinCut::unlimited;
      if (edge.from == edge.to) continue;
      edges.push_back(edge);
      network.add_edge(edge.from, edge.to, edge.capacity);
    }
    EXPECT_NEAR(network.solve(0, 1), least_cut(n_nodes, edges), 1e-9) << "seed " << seed;
    double across = 0;
    for (const Edge& edge : edges)
      if (network.with_source(edge.from) && !network.with_source(edge.to)) across += edge.capacity;
    EXPECT_NEAR(across, least_cut(n_nodes, edges), 1e-9) << "seed " << seed;
  }
}

}  // namespace
}  // namespace strake::partition

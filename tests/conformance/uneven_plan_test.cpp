// SPDX-License-Identifier: Apache-2.0
#include "conformance/uneven_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace strake::conformance {
namespace {

TEST(UnevenCuts, CoverAllRowsAndGiveEveryRankOneWhereTheyLast) {
  for (Index n_rows = 1; n_rows <= 40; ++n_rows)
    for (int n_ranks = 1; n_ranks <= 8; ++n_ranks) {
      SCOPED_TRACE(std::to_string(n_rows) + " rows, " + std::to_string(n_ranks) + " ranks");
      const std::vector<Index> cuts = uneven_cuts(n_rows, n_ranks);
      ASSERT_EQ(cuts.size(), static_cast<std::size_t>(n_ranks) + 1);
      EXPECT_EQ(cuts.front(), 0);
      EXPECT_EQ(cuts.back(), n_rows);
      EXPECT_TRUE(std::ranges::is_sorted(cuts));
      if (n_rows >= n_ranks) {
        EXPECT_EQ(std::ranges::adjacent_find(cuts), cuts.end());
      }
    }
}

TEST(UnevenCuts, DifferFromEachOther) {
  EXPECT_EQ(uneven_cuts(9, 3), (std::vector<Index>{0, 3, 5, 9}));
  EXPECT_EQ(uneven_cuts(2, 3), (std::vector<Index>{0, 1, 1, 2}));
}

Graph relu_of(const Shape& shape) {
  Graph graph;
  const OpId input = graph.add({.name = "x", .inputs = {}, .shape = shape, .attributes = Input{}});
  const OpId relu =
      graph.add({.name = "y", .inputs = {input}, .shape = {}, .attributes = Elementwise{{ActivationKind::relu}}});
  graph.inputs.push_back({input, "x"});
  graph.outputs.push_back({relu, "y"});
  return graph;
}

TEST(UnevenPlan, GivesEveryRankWork) {
  const Graph graph = relu_of({1, 2, 7, 5});
  const Plan plan = uneven_plan(graph, 3);
  EXPECT_NO_THROW(check(graph, plan, 3));
  EXPECT_EQ(ranks_with_work(graph, plan), 3);
}

TEST(UnevenPlan, TakesTheOtherAxisWhereTheLongerOneWillNotDo) {
  const Graph graph = relu_of({1, 2, 1, 5});
  EXPECT_EQ(ranks_with_work(graph, uneven_plan(graph, 2)), 2);
}

}  // namespace
}  // namespace strake::conformance

// SPDX-License-Identifier: Apache-2.0
#include "partition/bounds.hpp"

#include <gtest/gtest.h>

#include "core/small_graphs.hpp"

namespace strake::partition {
namespace {

TEST(Bounds, AddUpThroughputs) {
  EXPECT_DOUBLE_EQ(ideal_speedup({10}), 1);
  EXPECT_DOUBLE_EQ(ideal_speedup({10, 10, 10}), 3);
  EXPECT_DOUBLE_EQ(ideal_speedup({30, 10}), 4.0 / 3);
  EXPECT_DOUBLE_EQ(ideal_speedup({}), 1);
}

TEST(Bounds, CallTheIdealFrameFullyEfficient) {
  EXPECT_DOUBLE_EQ(efficiency({30, 10}, 7.5), 1);
  EXPECT_DOUBLE_EQ(efficiency({30, 10}, 15), 0.5);
}

// Seven rows do not halve: four of them take 4/7 of the time.
TEST(Bounds, KnowThatRowsAreWhole) {
  Graph graph;
  test::add_output(graph, test::add_conv3(graph, test::add_input(graph, {1, 1, 7, 1}), 1));
  Profile profile{.model = {}, .axis = SplitAxis::rows, .ranks = {}, .links = {}};
  profile.ranks.assign(2, {.host = {}, .ops = {{}, {.extents = {7}, .microseconds = {70}}}});
  profile.links.assign(2, std::vector<Link>(2, Link{1000, 1000}));
  EXPECT_DOUBLE_EQ(whole_rows_speedup(CostModel(graph, profile)), 70.0 / 40.0);
}

}  // namespace
}  // namespace strake::partition

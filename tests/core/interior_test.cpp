// SPDX-License-Identifier: Apache-2.0
#include "core/interior.hpp"

#include <gtest/gtest.h>

#include "core/small_graphs.hpp"

namespace strake {
namespace {

using test::add_conv3;
using test::add_input;

Box rows(Index begin, Index end) { return with_axis(whole({1, 4, 12, 5}), 2, {begin, end}); }

// Two convolutions in strips of four rows on three ranks.
struct Strips {
  Graph graph;
  OpId first = add_conv3(graph, add_input(graph, {1, 2, 12, 5}), 4);
  OpId second = add_conv3(graph, first, 4);
  Plan plan = empty_plan(graph, 3);

  Strips() {
    for (int rank = 0; rank < 3; ++rank)
      for (const OpId id : {first, second}) plan.boxes(id, rank) = {rows(4 * rank, 4 * rank + 4)};
  }
};

TEST(SplitInterior, LeavesTheRowsAtTheNeighboursOut) {
  const Strips strips;
  const InteriorSplit middle = split_interior(strips.graph, strips.plan, strips.second, 1, rows(4, 8), 2);
  EXPECT_EQ(middle.interior, rows(5, 7));
  EXPECT_EQ(middle.borders, (BoxList{rows(4, 5), rows(7, 8)}));
  const InteriorSplit top = split_interior(strips.graph, strips.plan, strips.second, 0, rows(0, 4), 2);
  EXPECT_EQ(top.interior, rows(0, 3)) << "the edge of the map waits for nobody";
  EXPECT_EQ(top.borders, (BoxList{rows(3, 4)}));
}

TEST(SplitInterior, IsEmptyWhereEverythingWaits) {
  const Strips strips;
  const InteriorSplit split = split_interior(strips.graph, strips.plan, strips.first, 1, rows(4, 8), 2);
  EXPECT_TRUE(split.interior.empty());
  EXPECT_EQ(split.borders, (BoxList{rows(4, 8)}));
}

TEST(SplitInterior, IsEverythingWhereNothingWaits) {
  Strips strips;
  strips.plan.boxes(strips.first, 1) = {rows(2, 9)};
  const InteriorSplit split = split_interior(strips.graph, strips.plan, strips.second, 1, rows(4, 8), 2);
  EXPECT_EQ(split.interior, rows(4, 8));
  EXPECT_TRUE(split.borders.empty());
}

TEST(InteriorPieces, HaveEightRowsOrMoreEach) {
  EXPECT_EQ(interior_pieces({3, 18}), (std::vector<Interval>{{3, 18}}));
  EXPECT_EQ(interior_pieces({3, 19}), (std::vector<Interval>{{3, 11}, {11, 19}}));
  EXPECT_EQ(interior_pieces({0, 100}), (std::vector<Interval>{{0, 33}, {33, 66}, {66, 100}}));
  EXPECT_EQ(interior_pieces({5, 6}), (std::vector<Interval>{{5, 6}}));
}

}  // namespace
}  // namespace strake

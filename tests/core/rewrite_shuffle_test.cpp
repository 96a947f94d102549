// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/rewrite_cases.hpp"

namespace strake::test {
namespace {

TEST(FindShuffles, MakesOneGatherOfAChannelShuffle) {
  Builder build;
  const OpId x = build.relu(build.input({2, 6, 3, 4}));
  const OpId apart = build.reshape(x, {2, 2, 3, 3, 4});
  const OpId turned = build.add({apart}, Transpose{.axes = {0, 2, 1, 3, 4}});
  build.output(build.relu(build.reshape(turned, {2, 6, 3, 4})));
  const Graph after = expect_applies(rewrite::find_shuffles, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Elementwise", "Gather", "Elementwise"}));
  EXPECT_EQ(as<Gather>(after.op(2))->indices, (std::vector<Index>{0, 3, 1, 4, 2, 5}));
}

// As ShuffleNets are written that deal the channels out to two tensors: rows and columns are one axis meanwhile.
TEST(FindShuffles, FindsBothHalvesOfASplitByTurns) {
  Builder build;
  const OpId x = build.relu(build.input({1, 6, 3, 4}));
  const OpId turned = build.add({build.reshape(x, {3, 2, 12})}, Transpose{.axes = {1, 0, 2}});
  const OpId halves = build.reshape(turned, {2, 1, 3, 3, 4});
  for (const Index half : {0, 1}) {
    const OpId one = build.add({halves}, Gather{.axis = 0, .indices = {half}});
    build.output(build.relu(build.reshape(one, {1, 3, 3, 4})));
  }
  const Graph after = expect_applies(rewrite::find_shuffles, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Elementwise", "Gather", "Elementwise", "Gather", "Elementwise"}));
  EXPECT_EQ(as<Gather>(after.op(4))->indices, (std::vector<Index>{1, 3, 5}));
}

TEST(FindShuffles, LeavesWhatMovesPixels) {
  Builder build;
  const OpId x = build.relu(build.input({1, 4, 3, 3}));
  const OpId turned = build.add({build.reshape(x, {1, 2, 2, 3, 3})}, Transpose{.axes = {0, 2, 1, 4, 3}});
  build.output(build.reshape(turned, {1, 4, 3, 3}));
  const OpId flat = build.add({build.reshape(x, {1, 9, 4})}, Transpose{.axes = {0, 2, 1}});
  build.output(build.reshape(flat, {1, 4, 3, 3}));
  expect_leaves(rewrite::find_shuffles, build.graph);
}

TEST(FindShuffles, LeavesMovesThatChangeTheMapAndSingleOnes) {
  Builder build;
  const OpId x = build.relu(build.input({1, 8, 2, 2}));
  const OpId turned = build.add({build.reshape(x, {1, 2, 2, 2, 2, 2})}, Transpose{.axes = {0, 1, 4, 2, 5, 3}});
  build.output(build.reshape(turned, {1, 2, 4, 4}));
  build.output(build.add({x}, Gather{.axis = 1, .indices = {3, 1}}));
  expect_leaves(rewrite::find_shuffles, build.graph);
}

}  // namespace
}  // namespace strake::test

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/rewrite_cases.hpp"

namespace strake::test {
namespace {

TEST(DropIdentities, MergesReshapesAndDropsThoseToTheOldShape) {
  Builder build;
  const OpId x = build.relu(build.input({2, 3, 4}));
  const OpId flat = build.reshape(build.reshape(x, {6, 4}), {24});
  build.output(build.relu(build.reshape(flat, {2, 3, 4})));
  build.output(build.relu(build.reshape(flat, {4, 6})));
  const Graph after = expect_applies(rewrite::drop_identities, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Elementwise", "Elementwise", "Reshape", "Elementwise"}));
}

TEST(DropIdentities, MovesTheOutputToWhatComputesIt) {
  Builder build;
  const OpId x = build.relu(build.input({2, 3}));
  build.output(build.reshape(x, {2, 3}));
  const Graph after = expect_applies(rewrite::drop_identities, build.graph);
  EXPECT_EQ(after.outputs[0].op, 1);
}

TEST(DropIdentities, MergesTransposesAndDropsThoseThatUndoEachOther) {
  Builder build;
  const OpId x = build.relu(build.input({2, 3, 4, 5}));
  const OpId last = build.add({x}, Transpose{.axes = {0, 2, 3, 1}});
  build.output(build.relu(build.add({last}, Transpose{.axes = {0, 3, 1, 2}})));
  build.output(build.add({last}, Transpose{.axes = {3, 0, 2, 1}}));
  const Graph after = expect_applies(rewrite::drop_identities, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Elementwise", "Elementwise", "Transpose"}));
}

TEST(DropIdentities, MakesReshapesOfTransposesThatMoveNoElement) {
  Builder build;
  const OpId x = build.relu(build.input({2, 3, 1, 1}));
  const OpId moved = build.add({x}, Transpose{.axes = {0, 2, 3, 1}});
  build.output(build.relu(moved));
  build.output(build.relu(build.reshape(moved, {2, 3, 1, 1})));
  const Graph after = expect_applies(rewrite::drop_identities, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Elementwise", "Reshape", "Elementwise", "Elementwise"}));
}

TEST(DropIdentities, DropsSlicesPadsGathersAndConcatsOfEverything) {
  Builder build;
  const OpId x = build.relu(build.input({2, 3}));
  const OpId slice = build.add({x}, Slice{.begin = {0, 0}, .step = {1, 1}}, {2, 3});
  const OpId pad = build.add({slice}, Pad{.begin = {0, 0}, .value = 7}, {2, 3});
  const OpId gather = build.add({pad}, Gather{.axis = 1, .indices = {0, 1, 2}});
  build.output(build.add({gather}, Concat{.axis = 0}));
  EXPECT_EQ(kinds(expect_applies(rewrite::drop_identities, build.graph)), (Kinds{"Input", "Elementwise"}));
}

TEST(DropIdentities, LeavesWhatMovesElements) {
  Builder build;
  const OpId x = build.input({3, 3});
  build.output(build.add({x}, Transpose{.axes = {1, 0}}));
  build.output(build.add({x}, Slice{.begin = {2, 0}, .step = {-1, 1}}, {3, 3}));
  build.output(build.add({x}, Slice{.begin = {0, 0}, .step = {1, 2}}, {3, 2}));
  build.output(build.add({x}, Pad{.begin = {0, 0}, .value = 0}, {3, 4}));
  build.output(build.add({x}, Gather{.axis = 0, .indices = {0, 2, 1}}));
  build.output(build.add({x, x}, Concat{.axis = 0}));
  build.output(build.reshape(x, {9}));
  expect_leaves(rewrite::drop_identities, build.graph);
}

TEST(DropDead, RemovesOperatorsAndWeightsAndRenumbersTheRest) {
  Builder build;
  const OpId unused = build.input({1, 2, 3, 3});
  const OpId x = build.input({1, 2, 3, 3});
  build.relu(build.conv3(x, 4));
  build.output(build.conv3(build.scale_shift(x), 2));
  build.sum(unused, x);
  Graph after = build.graph;
  EXPECT_TRUE(rewrite::drop_dead(after));
  expect_well_formed(after);
  expect_same_values(build.graph, after);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Input", "ScaleShift", "Conv"}));
  EXPECT_EQ(after.weights.size(), 4U);
  EXPECT_EQ(after.inputs[1].op, 1);
  EXPECT_EQ(after.outputs[0].op, 3);
}

TEST(DropDead, RemovesWeightsAlone) {
  Builder build;
  build.weight({5});
  build.output(build.conv3(build.input({1, 2, 3, 3}), 2));
  Graph after = build.graph;
  EXPECT_TRUE(rewrite::drop_dead(after));
  EXPECT_EQ(after.weights.size(), 2U);
  expect_same_values(build.graph, after);
}

TEST(DropDead, LeavesWhatIsNeeded) {
  Builder build;
  build.output(build.sum(build.conv3(build.input({1, 2, 3, 3}), 2), build.constant({2, 1, 1})));
  expect_leaves(rewrite::drop_dead, build.graph);
}

}  // namespace
}  // namespace strake::test

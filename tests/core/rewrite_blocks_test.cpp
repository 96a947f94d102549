// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/rewrite_cases.hpp"

namespace strake::rewrite {
namespace {

using namespace test;

// Reshape to six axes, Transpose, Reshape back.
Graph shuffle(const Shape& src, const Shape& split, const std::vector<int>& axes, const Shape& dst) {
  Builder b;
  const OpId wide = b.reshape(b.input(src), split);
  b.output(b.reshape(b.add({wide}, Transpose{axes}), dst));
  return b.graph;
}

TEST(FindBlocks, KnowsThePixelShuffleOfPyTorch) {
  const Graph after =
      expect_applies(find_blocks, shuffle({2, 18, 4, 5}, {2, 3, 2, 3, 4, 5}, {0, 1, 4, 2, 5, 3}, {2, 3, 8, 15}));
  EXPECT_EQ(kinds(after), (Kinds{"Input", "DepthToSpace"}));
  EXPECT_EQ(as<DepthToSpace>(after.ops.back())->groups, 3);
}

TEST(FindBlocks, KnowsTheDepthFirstOrder) {
  const Graph after =
      expect_applies(find_blocks, shuffle({2, 18, 4, 5}, {2, 2, 3, 3, 4, 5}, {0, 3, 4, 1, 5, 2}, {2, 3, 8, 15}));
  EXPECT_EQ(kinds(after), (Kinds{"Input", "DepthToSpace"}));
}

TEST(FindBlocks, KnowsTheWayBack) {
  const Graph after =
      expect_applies(find_blocks, shuffle({1, 3, 8, 15}, {1, 3, 4, 2, 5, 3}, {0, 1, 3, 5, 2, 4}, {1, 18, 4, 5}));
  EXPECT_EQ(kinds(after), (Kinds{"Input", "SpaceToDepth"}));
  expect_applies(find_blocks, shuffle({1, 3, 8, 15}, {1, 3, 4, 2, 5, 3}, {0, 3, 5, 1, 2, 4}, {1, 18, 4, 5}));
}

TEST(FindBlocks, LeavesOtherShuffles) {
  expect_leaves(find_blocks, shuffle({2, 18, 4, 5}, {2, 3, 2, 3, 4, 5}, {0, 1, 4, 3, 5, 2}, {2, 3, 12, 10}));
  expect_leaves(find_blocks, shuffle({2, 18, 4, 5}, {2, 3, 2, 3, 4, 5}, {0, 1, 4, 2, 5, 3}, {2, 3, 15, 8}));
  expect_leaves(find_blocks, shuffle({1, 3, 8, 15}, {1, 3, 4, 2, 5, 3}, {0, 1, 3, 5, 2, 4}, {1, 18, 5, 4}));
}

// conv - DepthToSpace in groups - scale and shift - relu
Graph upsampling(bool read_twice) {
  Builder b;
  const OpId conv = b.conv3(b.input({1, 3, 5, 4}), 24);
  const DepthToSpace op{.block_h = 2, .block_w = 2, .groups = 3, .begin_h = 1, .begin_w = 0};
  const OpId blocks = b.add({conv}, op, {1, 6, 8, 7});
  b.output(b.relu(b.scale_shift(blocks)));
  if (read_twice) b.output(blocks);
  return b.graph;
}

TEST(LiftOverBlocks, BringsScalesAndActivationsToTheConvolution) {
  const Graph after = expect_applies(lift_over_blocks, upsampling(false));
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Conv", "ScaleShift", "DepthToSpace", "Elementwise"}));
  const Graph all = expect_applies(
      [](Graph& graph) {
        optimise(graph);
        return true;
      },
      upsampling(false));
  EXPECT_EQ(kinds(all), (Kinds{"Input", "Conv", "DepthToSpace"}));
}

TEST(LiftOverBlocks, LeavesWhatOthersReadAsWell) { expect_leaves(lift_over_blocks, upsampling(true)); }

}  // namespace
}  // namespace strake::rewrite

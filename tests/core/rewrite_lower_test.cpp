// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>

#include "core/rewrite_cases.hpp"

namespace strake::test {
namespace {

Graph reduced(GenericReduceKind kind, std::vector<int> axes) {
  Builder build;
  const OpId x = build.input({2, 3, 4, 5});
  build.output(build.relu(build.add({x}, Reduce{.kind = kind, .axes = std::move(axes)})));
  return build.graph;
}

TEST(LowerGlobalPools, SplitsMeanSumAndMaximum) {
  for (const GenericReduceKind kind : {GenericReduceKind::mean, GenericReduceKind::sum, GenericReduceKind::max}) {
    const Graph after = expect_applies(rewrite::lower_global_pools, reduced(kind, {2, 3}));
    EXPECT_EQ(kinds(after), (Kinds{"Input", "ReduceRows", "ReduceParts", "Elementwise"}));
    expect_applies(rewrite::lower_global_pools, reduced(kind, {3, 2}));
  }
}

TEST(LowerGlobalPools, LeavesTheMinimum) {
  expect_leaves(rewrite::lower_global_pools, reduced(GenericReduceKind::min, {2, 3}));
}

TEST(LowerGlobalPools, LeavesOtherAxes) {
  Graph graph = reduced(GenericReduceKind::mean, {1, 2});
  EXPECT_FALSE(rewrite::lower_global_pools(graph));
}

Graph pooled(PoolKind kind, WindowAxis h, WindowAxis w) {
  Builder build;
  const OpId x = build.input({2, 3, 4, 5});
  build.output(build.add({x}, Pool{.kind = kind, .window = {h, w}, .over = AverageOver::padded_cells}));
  return build.graph;
}

TEST(LowerGlobalPools, SplitsAPoolOverTheWholeMap) {
  for (const PoolKind kind : {PoolKind::average, PoolKind::max})
    expect_applies(rewrite::lower_global_pools, pooled(kind, {.kernel = 4, .stride = 2}, {.kernel = 5}));
}

TEST(LowerGlobalPools, LeavesPoolsOverLess) {
  expect_leaves(rewrite::lower_global_pools, pooled(PoolKind::max, {.kernel = 4}, {.kernel = 4, .stride = 2}));
  expect_leaves(rewrite::lower_global_pools,
                pooled(PoolKind::average, {.kernel = 4, .stride = 2, .pad_begin = 1}, {.kernel = 5}));
}

TEST(LowerGlobalPools, RenumbersPortsAndReadersBehind) {
  Builder build;
  const OpId x = build.input({1, 2, 3, 3});
  const OpId mean = build.add({x}, Reduce{.kind = GenericReduceKind::mean, .axes = {2, 3}});
  const OpId late = build.input({1, 2, 3, 3});
  build.output(mean);
  build.output(build.sum(mean, late));
  const Graph after = expect_applies(rewrite::lower_global_pools, build.graph);
  EXPECT_EQ(after.inputs[1].op, late + 1);
}

/// map -> Reshapes -> 1x1 convolution with 4 outputs
Graph flattened(const Shape& map, const std::vector<Shape>& shapes) {
  Builder build;
  OpId x = build.relu(build.input(map));
  for (const Shape& shape : shapes) x = build.reshape(x, shape);
  build.output(build.conv(x, 4));
  return build.graph;
}

TEST(LowerFlatten, MakesTheKernelTheWholeMap) {
  for (const std::vector<Shape>& shapes :
       {std::vector<Shape>{{2, 60, 1, 1}}, std::vector<Shape>{{2, 60}, {2, 12, 5}, {2, 60, 1, 1}}}) {
    const Graph after = expect_applies(rewrite::lower_flatten, flattened({2, 3, 4, 5}, shapes));
    ASSERT_EQ(kinds(after), (Kinds{"Input", "Elementwise", "Conv"}));
    EXPECT_EQ(as<Conv>(after.op(2))->window, (Window2d{{.kernel = 4}, {.kernel = 5}}));
  }
}

TEST(LowerFlatten, DropsReshapesOfAMapOfOneCell) {
  const Graph after = expect_applies(rewrite::lower_flatten, flattened({2, 6, 1, 1}, {{2, 6}, {2, 6, 1, 1}}));
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Elementwise", "Conv"}));
}

TEST(LowerFlatten, LeavesReshapesThatMixTheBatchOrMakeAMap) {
  expect_leaves(rewrite::lower_flatten, flattened({2, 3, 2, 2}, {{1, 24, 1, 1}}));
  expect_leaves(rewrite::lower_flatten, flattened({2, 3, 4, 5}, {{2, 30, 2, 1}}));
  expect_leaves(rewrite::lower_flatten, flattened({2, 60}, {{2, 60, 1, 1}}));
}

TEST(LowerFlatten, LeavesGroupsStridesPaddingAndWiderKernels) {
  for (int what = 0; what < 3; ++what) {
    Builder build;
    const OpId x = build.reshape(build.input({1, 2, 2, 2}), {1, 8, 1, 1});
    if (what == 0) build.output(build.conv(x, 4, {.kernel = 1}, 2));
    if (what == 1) build.output(build.conv(x, 4, {.kernel = 1, .pad_begin = 1}));
    if (what == 2) build.output(build.conv(x, 4, {.kernel = 3, .pad_begin = 1, .pad_end = 1}));
    expect_leaves(rewrite::lower_flatten, build.graph);
  }
}

TEST(LowerFlatten, LeavesTheShapeOfWeightsThatOthersRead) {
  Builder build;
  const OpId x = build.input({1, 2, 2, 2});
  const OpId first = build.conv(build.reshape(x, {1, 8, 1, 1}), 8);
  build.output(build.add({first}, *as<Conv>(build.graph.op(first))));
  const Graph after = expect_applies(rewrite::lower_flatten, build.graph);
  const Weight& lowered = after.weight(as<Conv>(after.op(1))->weights);
  const Weight& other = after.weight(as<Conv>(after.op(2))->weights);
  EXPECT_EQ(lowered.shape, (Shape{8, 2, 2, 2}));
  EXPECT_EQ(other.shape, (Shape{8, 8, 1, 1}));
  EXPECT_EQ(lowered.values.data(), other.values.data()) << "the values themselves need no copy";
}

constexpr float lowest = std::numeric_limits<float>::lowest();

/// Rows 1 in front and 2 behind, columns 0 and 1.
OpId padded(Builder& build, float value) {
  const OpId x = build.input({1, 2, 5, 6});
  return build.add({x}, Pad{.begin = {0, 0, 1, 0}, .value = value}, {1, 2, 8, 7});
}

TEST(FoldPads, BecomePaddingOfConvolutions) {
  Builder build;
  build.output(build.conv(padded(build, 0), 3, {.kernel = 3, .stride = 2, .pad_begin = 1}));
  const Graph after = expect_applies(rewrite::fold_pads, build.graph);
  ASSERT_EQ(kinds(after), (Kinds{"Input", "Conv"}));
  EXPECT_EQ(as<Conv>(after.op(1))->window.h, (WindowAxis{.kernel = 3, .stride = 2, .pad_begin = 2, .pad_end = 2}));
}

Pool window3(PoolKind kind, AverageOver over, Index pad) {
  const WindowAxis axis{.kernel = 3, .stride = 1, .dilation = 1, .pad_begin = pad, .pad_end = 0};
  return {.kind = kind, .window = {axis, axis}, .over = over};
}

TEST(FoldPads, BecomePaddingOfPools) {
  for (const Index pad : {0, 1}) {
    Builder build;
    build.output(build.add({padded(build, lowest)}, window3(PoolKind::max, AverageOver::input_cells, pad)));
    build.output(build.add({padded(build, 0)}, window3(PoolKind::average, AverageOver::padded_cells, pad)));
    EXPECT_EQ(kinds(expect_applies(rewrite::fold_pads, build.graph)), (Kinds{"Input", "Pool", "Input", "Pool"}));
  }
}

TEST(FoldPads, AreCountedByAPoolThatPadsNothingItself) {
  Builder build;
  build.output(build.add({padded(build, 0)}, window3(PoolKind::average, AverageOver::input_cells, 0)));
  const Graph after = expect_applies(rewrite::fold_pads, build.graph);
  EXPECT_EQ(as<Pool>(after.op(1))->over, AverageOver::padded_cells);
}

TEST(FoldPads, LeaveOtherValues) {
  Builder build;
  build.output(build.conv(padded(build, 1), 3, {.kernel = 3}));
  build.output(build.add({padded(build, 0)}, window3(PoolKind::max, AverageOver::input_cells, 0)));
  build.output(build.add({padded(build, 0)}, window3(PoolKind::average, AverageOver::input_cells, 1)));
  expect_leaves(rewrite::fold_pads, build.graph);
}

TEST(FoldPads, LeaveWindowsThatWouldLieInPaddingAlone) {
  Builder build;
  build.output(build.conv(padded(build, 0), 3, {.kernel = 2}));
  expect_leaves(rewrite::fold_pads, build.graph);
}

TEST(FoldPads, LeaveChannelsAlone) {
  Builder build;
  const OpId x = build.input({1, 2, 5, 5});
  build.output(build.conv3(build.add({x}, Pad{.begin = {0, 1, 0, 0}, .value = 0}, {1, 4, 5, 5}), 3));
  expect_leaves(rewrite::fold_pads, build.graph);
}

TEST(FoldPads, LeaveAWindowThatRoundingUpWouldLose) {
  // The Pad's last row begins a window of its own; behind the map, in padding, it would begin none.
  Builder build;
  const OpId x = build.input({1, 1, 4, 4});
  const OpId pad = build.add({x}, Pad{.begin = {0, 0, 0, 0}, .value = lowest}, {1, 1, 5, 4});
  const Pool pool{.kind = PoolKind::max, .window = {{.kernel = 3, .stride = 4}, {.kernel = 1}}};
  build.output(build.add({pad}, pool, {1, 1, 2, 4}));
  expect_leaves(rewrite::fold_pads, build.graph);
}

TEST(LiftOverReshapes, MovesActivationsAndChannelArithmeticToTheSource) {
  Builder build;
  const OpId flat = build.reshape(build.conv(build.input({2, 3, 1, 1}), 4), {2, 4});
  build.output(build.relu(build.scale_shift(flat)));
  const Graph after = expect_applies(rewrite::lift_over_reshapes, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Conv", "ScaleShift", "Elementwise", "Reshape"}));
}

TEST(LiftOverReshapes, LeavesChannelArithmeticOnOtherChannels) {
  Builder build;
  build.output(build.scale_shift(build.reshape(build.input({1, 2, 3, 2}), {1, 6, 2})));
  expect_leaves(rewrite::lift_over_reshapes, build.graph);
}

TEST(LiftOverReshapes, LeavesAReshapeThatOthersReadOrIsAnOutput) {
  Builder build;
  const OpId x = build.input({1, 2, 3, 2});
  const OpId read_twice = build.reshape(x, {1, 12});
  build.output(build.relu(read_twice));
  build.output(build.sum(read_twice, read_twice));
  const OpId output = build.reshape(x, {1, 6, 2});
  build.output(output);
  build.output(build.relu(output));
  expect_leaves(rewrite::lift_over_reshapes, build.graph);
}

}  // namespace
}  // namespace strake::test

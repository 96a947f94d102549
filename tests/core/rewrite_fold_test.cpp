// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/rewrite_cases.hpp"

namespace strake::test {
namespace {

const WindowAxis unpadded{.kernel = 3};
const WindowAxis padded{.kernel = 3, .pad_begin = 1, .pad_end = 1};

Graph scaled_by_constant(BinaryKind kind, const Shape& constant, bool constant_first) {
  Builder build;
  const OpId x = build.input({2, 3, 4, 5});
  const OpId c = build.constant(constant);
  const OpId y = constant_first ? build.binary(kind, c, x) : build.binary(kind, x, c);
  as<Binary>(build.graph.op(y))->post_ops = {Activation{}};
  build.output(y);
  return build.graph;
}

TEST(ConstantsToScaleShift, TakesEachArithmeticThatIsAScaleAndAShift) {
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{3, 1, 1}, Shape{1, 3, 1, 1}, Shape{1, 1, 1, 1}}) {
    for (const BinaryKind kind : {BinaryKind::add, BinaryKind::sub, BinaryKind::mul, BinaryKind::div}) {
      const Graph after = expect_applies(rewrite::constants_to_scale_shift, scaled_by_constant(kind, shape, false));
      EXPECT_EQ(kinds(after), (Kinds{"Input", "ScaleShift"}));
      EXPECT_EQ(as<ScaleShift>(after.op(1))->post_ops.size(), 1U);
    }
    for (const BinaryKind kind : {BinaryKind::add, BinaryKind::sub, BinaryKind::mul})
      expect_applies(rewrite::constants_to_scale_shift, scaled_by_constant(kind, shape, true));
  }
}

TEST(ConstantsToScaleShift, CountsChannelsOnTheSecondAxisOfAnyTensor) {
  Builder build;
  const OpId x = build.input({4, 3});
  build.output(build.sum(x, build.constant({3})));
  expect_applies(rewrite::constants_to_scale_shift, build.graph);
}

TEST(ConstantsToScaleShift, LeavesConstantsThatVaryElsewhere) {
  for (const Shape& shape : {Shape{5}, Shape{4, 1}, Shape{3, 4, 5}, Shape{2, 1, 1, 1}, Shape{2, 3, 1, 1}})
    expect_leaves(rewrite::constants_to_scale_shift, scaled_by_constant(BinaryKind::add, shape, false));
}

TEST(ConstantsToScaleShift, LeavesConstantsThatMakeTheResultLarger) {
  Builder build;
  const OpId x = build.input({1, 1, 4, 5});
  build.output(build.sum(x, build.constant({1, 3, 1, 1})));
  const OpId flat = build.input({2, 3});
  build.output(build.sum(flat, build.constant({1, 1, 3})));
  expect_leaves(rewrite::constants_to_scale_shift, build.graph);
}

TEST(ConstantsToScaleShift, LeavesWhatIsNoScaleAndShift) {
  for (const BinaryKind kind : {BinaryKind::max, BinaryKind::min})
    expect_leaves(rewrite::constants_to_scale_shift, scaled_by_constant(kind, {3, 1, 1}, false));
  expect_leaves(rewrite::constants_to_scale_shift, scaled_by_constant(BinaryKind::div, {3, 1, 1}, true));
}

TEST(ConstantsToScaleShift, LeavesDivisionByZero) {
  Builder build;
  const OpId x = build.input({1, 2});
  build.output(build.binary(BinaryKind::div, x, build.scalar(0)));
  EXPECT_FALSE(rewrite::constants_to_scale_shift(build.graph));
}

TEST(FoldScaleShiftBackward, GoesIntoTheConvolution) {
  for (const WindowAxis axis : {unpadded, padded}) {
    for (const Index groups : {1, 2, 4}) {
      Builder build;
      const OpId conv = build.conv(build.input({1, 4, 6, 5}), 8, axis, groups);
      const OpId y = build.scale_shift(conv);
      as<ScaleShift>(build.graph.op(y))->post_ops = {Activation{}};
      build.output(y);
      const Graph after = expect_applies(rewrite::fold_scale_shift_backward, build.graph);
      EXPECT_EQ(kinds(after), (Kinds{"Input", "Conv"}));
      EXPECT_EQ(after.op(1).name, build.graph.op(conv).name);
      EXPECT_EQ(as<Conv>(after.op(1))->post_ops.size(), 1U);
    }
  }
}

TEST(FoldScaleShiftBackward, MakesABiasWhereThereWasNone) {
  Builder build;
  const OpId conv = build.conv3(build.input({1, 3, 4, 4}), 2);
  as<Conv>(build.graph.op(conv))->bias = no_weight;
  build.output(build.scale_shift(conv));
  const Graph after = expect_applies(rewrite::fold_scale_shift_backward, build.graph);
  EXPECT_NE(as<Conv>(after.op(1))->bias, no_weight);
}

TEST(FoldScaleShiftBackward, MakesNoBiasForAScaleAlone) {
  Builder build;
  const OpId conv = build.conv3(build.input({1, 3, 4, 4}), 2);
  as<Conv>(build.graph.op(conv))->bias = no_weight;
  const OpId y = build.scale_shift(conv);
  as<ScaleShift>(build.graph.op(y))->shift = no_weight;
  build.output(y);
  const Graph after = expect_applies(rewrite::fold_scale_shift_backward, build.graph);
  EXPECT_EQ(as<Conv>(after.op(1))->bias, no_weight);
}

TEST(FoldScaleShiftBackward, MergesScaleShiftsWithAnyWeightMissing) {
  for (int missing = 0; missing < 16; ++missing) {
    Builder build;
    const OpId x = build.input({1, 3, 2, 2});
    const OpId first = build.scale_shift(x);
    const OpId second = build.scale_shift(first);
    auto& a = *as<ScaleShift>(build.graph.op(first));
    auto& b = *as<ScaleShift>(build.graph.op(second));
    if ((missing & 1) != 0) a.scale = no_weight;
    if ((missing & 2) != 0) a.shift = no_weight;
    if ((missing & 4) != 0) b.scale = no_weight;
    if ((missing & 8) != 0) b.shift = no_weight;
    build.output(second);
    const Graph after = expect_applies(rewrite::fold_scale_shift_backward, build.graph);
    EXPECT_EQ(kinds(after), (Kinds{"Input", "ScaleShift"}));
  }
}

TEST(FoldScaleShiftBackward, LeavesAConvolutionThatOthersRead) {
  Builder build;
  const OpId conv = build.conv3(build.input({1, 2, 3, 3}), 2);
  build.output(build.scale_shift(conv));
  build.output(build.relu(conv));
  expect_leaves(rewrite::fold_scale_shift_backward, build.graph);
}

TEST(FoldScaleShiftBackward, LeavesAConvolutionThatIsAnOutput) {
  Builder build;
  const OpId conv = build.conv3(build.input({1, 2, 3, 3}), 2);
  build.output(build.scale_shift(conv));
  build.output(conv);
  expect_leaves(rewrite::fold_scale_shift_backward, build.graph);
}

TEST(FoldScaleShiftBackward, LeavesWhatStandsBehindAnActivation) {
  Builder build;
  const OpId conv = build.conv3(build.input({1, 2, 3, 3}), 2);
  as<Conv>(build.graph.op(conv))->post_ops = {Activation{}};
  build.output(build.scale_shift(conv));
  expect_leaves(rewrite::fold_scale_shift_backward, build.graph);
}

TEST(FoldScaleShiftBackward, LeavesWeightsOfOtherConvolutionsAlone) {
  Builder build;
  const OpId first = build.conv3(build.input({1, 2, 3, 3}), 2);
  const OpId second = build.add({first}, *as<Conv>(build.graph.op(first)));
  build.output(build.scale_shift(second));
  const Graph after = expect_applies(rewrite::fold_scale_shift_backward, build.graph);
  EXPECT_NE(as<Conv>(after.op(1))->weights, as<Conv>(after.op(2))->weights);
  EXPECT_NE(as<Conv>(after.op(1))->bias, as<Conv>(after.op(2))->bias);
}

TEST(FoldScaleShiftBackward, ChangesWeightsThatNobodySharesWhereTheyLie) {
  Builder build;
  const OpId conv = build.conv3(build.input({1, 2, 3, 3}), 2);
  build.output(build.scale_shift(conv));
  const WeightId weights = as<Conv>(build.graph.op(conv))->weights;
  const std::byte* memory = build.graph.weight(weights).values.data();
  const float before = build.graph.weight(weights).values.floats().front();
  ASSERT_TRUE(rewrite::fold_scale_shift_backward(build.graph));
  EXPECT_EQ(build.graph.weight(weights).values.data(), memory);
  EXPECT_NE(build.graph.weight(weights).values.floats().front(), before);
}

TEST(FoldScaleShiftBackward, LeavesMemoryThatAnotherGraphSharesAlone) {
  Builder build;
  const OpId conv = build.conv3(build.input({1, 2, 3, 3}), 2);
  build.output(build.scale_shift(conv));
  const Graph other = build.graph;
  const std::vector<Tensor> before = evaluate(other);
  ASSERT_TRUE(rewrite::fold_scale_shift_backward(build.graph));
  EXPECT_EQ(evaluate(other).front().cells, before.front().cells);
}

TEST(FoldScaleShiftForward, GoesIntoAConvolutionThatPadsNothing) {
  for (const Index groups : {1, 2, 4}) {
    Builder build;
    const OpId y = build.conv(build.scale_shift(build.input({2, 4, 6, 5})), 8, unpadded, groups);
    as<Conv>(build.graph.op(y))->bias = groups == 2 ? no_weight : as<Conv>(build.graph.op(y))->bias;
    build.output(y);
    const Graph after = expect_applies(rewrite::fold_scale_shift_forward, build.graph);
    EXPECT_EQ(kinds(after), (Kinds{"Input", "Conv"}));
  }
}

TEST(FoldScaleShiftForward, LeavesAShiftBeforePaddingOnAnySide) {
  for (int side = 0; side < 4; ++side) {
    Builder build;
    const OpId y = build.scale_shift(build.input({1, 2, 5, 5}));
    Window2d window{unpadded, unpadded};
    Index* pads[] = {&window.h.pad_begin, &window.h.pad_end, &window.w.pad_begin, &window.w.pad_end};
    *pads[side] = 1;
    const WeightId weights = build.weight({2, 2, 3, 3});
    build.output(
        build.add({y}, Conv{.window = window, .groups = 1, .weights = weights, .bias = no_weight, .post_ops = {}}));
    expect_leaves(rewrite::fold_scale_shift_forward, build.graph);
  }
}

TEST(FoldScaleShiftForward, TakesAScaleAloneBeforePadding) {
  Builder build;
  const OpId y = build.scale_shift(build.input({1, 2, 5, 5}));
  as<ScaleShift>(build.graph.op(y))->shift = no_weight;
  build.output(build.conv3(y, 3));
  EXPECT_EQ(kinds(expect_applies(rewrite::fold_scale_shift_forward, build.graph)), (Kinds{"Input", "Conv"}));
}

TEST(FoldScaleShiftForward, LeavesWhatOthersReadOrAnActivationFollows) {
  Builder read;
  const OpId shared = read.scale_shift(read.input({1, 2, 5, 5}));
  read.output(read.conv(shared, 2, unpadded));
  read.output(shared);
  expect_leaves(rewrite::fold_scale_shift_forward, read.graph);

  Builder activated;
  const OpId y = activated.scale_shift(activated.input({1, 2, 5, 5}));
  as<ScaleShift>(activated.graph.op(y))->post_ops = {Activation{}};
  activated.output(activated.conv(y, 2, unpadded));
  expect_leaves(rewrite::fold_scale_shift_forward, activated.graph);
}

TEST(FoldScaleShiftForward, LeavesAScaledResidual) {
  Builder build;
  const OpId x = build.input({1, 2, 5, 5});
  const OpId y = build.conv(x, 2);
  const OpId residual = build.scale_shift(x);
  Conv conv = *as<Conv>(build.graph.op(y));
  conv.post_ops = {AddInput{}};
  build.output(build.add({x, residual}, conv));
  expect_leaves(rewrite::fold_scale_shift_forward, build.graph);
}

}  // namespace
}  // namespace strake::test

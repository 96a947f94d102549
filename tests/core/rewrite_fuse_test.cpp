// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/rewrite_cases.hpp"

namespace strake::test {
namespace {

constexpr auto clip = ActivationKind::clip;
constexpr auto mul = BinaryKind::mul;

const Activation& activation(const Graph& graph, OpId id) { return as<Elementwise>(graph.op(id))->function; }

/// How a model writes "divided by six".
enum class Sixth { divided, multiplied, scale_shift };

OpId divide_by_six(Builder& build, OpId x, Sixth how) {
  if (how == Sixth::divided) return build.binary(BinaryKind::div, x, build.scalar(6));
  if (how == Sixth::multiplied) return build.binary(mul, build.scalar(1.0F / 6.0F), x);
  const Index channels = build.graph.shape(x)[1];
  const WeightId scale = build.weight({channels}, std::vector<float>(static_cast<std::size_t>(channels), 1.0F / 6.0F));
  return build.add({x}, ScaleShift{.scale = scale, .shift = no_weight, .post_ops = {}});
}

OpId clipped_after_three(Builder& build, OpId x) {
  return build.elementwise(build.sum(x, build.scalar(3)), clip, 0, 6);
}

TEST(FindActivations, SeesSwishOnBothSides) {
  for (const bool gate_first : {false, true}) {
    Builder build;
    const OpId x = build.input({1, 2, 3, 4});
    const OpId gate = build.elementwise(x, ActivationKind::sigmoid);
    build.output(gate_first ? build.binary(mul, gate, x) : build.binary(mul, x, gate));
    const Graph after = expect_applies(rewrite::find_activations, build.graph);
    ASSERT_EQ(kinds(after), (Kinds{"Input", "Elementwise"}));
    EXPECT_EQ(activation(after, 1), (Activation{ActivationKind::swish, 1, 0}));
  }
}

TEST(FindActivations, SeesMish) {
  for (const bool gate_first : {false, true}) {
    Builder build;
    const OpId x = build.input({1, 2, 3, 4});
    const OpId gate = build.elementwise(build.elementwise(x, ActivationKind::softplus), ActivationKind::tanh);
    build.output(gate_first ? build.binary(mul, gate, x) : build.binary(mul, x, gate));
    const Graph after = expect_applies(rewrite::find_activations, build.graph);
    ASSERT_EQ(kinds(after), (Kinds{"Input", "Elementwise"}));
    EXPECT_EQ(activation(after, 1).kind, ActivationKind::mish);
  }
}

TEST(FindActivations, SeesHardSigmoidHoweverSixIsWritten) {
  for (const Sixth how : {Sixth::divided, Sixth::multiplied, Sixth::scale_shift}) {
    Builder build;
    const OpId x = build.input({1, 2, 3, 4});
    build.output(divide_by_six(build, clipped_after_three(build, x), how));
    const Graph after = expect_applies(rewrite::find_activations, build.graph);
    ASSERT_EQ(kinds(after), (Kinds{"Input", "Elementwise"}));
    EXPECT_EQ(activation(after, 1).kind, ActivationKind::hard_sigmoid);
  }
}

TEST(FindActivations, SeesHardSwishWhicheverFactorIsDivided) {
  for (const Sixth how : {Sixth::divided, Sixth::multiplied, Sixth::scale_shift}) {
    for (int order = 0; order < 3; ++order) {
      Builder build;
      const OpId x = build.input({1, 2, 3, 4});
      const OpId gate = clipped_after_three(build, x);
      if (order == 0) build.output(divide_by_six(build, build.binary(mul, x, gate), how));
      if (order == 1) build.output(divide_by_six(build, build.binary(mul, gate, x), how));
      if (order == 2) build.output(build.binary(mul, x, divide_by_six(build, gate, how)));
      const Graph after = expect_applies(rewrite::find_activations, build.graph);
      ASSERT_EQ(kinds(after), (Kinds{"Input", "Elementwise"}));
      EXPECT_EQ(activation(after, 1).kind, ActivationKind::hard_swish);
    }
  }
}

TEST(FindActivations, LeavesOtherGates) {
  Builder build;
  const OpId x = build.input({1, 2, 3, 4});
  const OpId z = build.input({1, 2, 3, 4});
  build.output(build.binary(mul, x, build.elementwise(z, ActivationKind::sigmoid)));
  build.output(build.binary(mul, x, build.elementwise(x, ActivationKind::tanh)));
  build.output(build.sum(x, build.elementwise(x, ActivationKind::sigmoid)));
  build.output(build.binary(mul, x, build.elementwise(x, ActivationKind::hard_sigmoid, 0.2F, 0.5F)));
  expect_leaves(rewrite::find_activations, build.graph);
}

TEST(FindActivations, LeavesOtherNumbers) {
  Builder build;
  const OpId x = build.input({1, 2, 3, 4});
  build.output(build.binary(BinaryKind::div, clipped_after_three(build, x), build.scalar(5)));
  const OpId low = build.elementwise(build.sum(x, build.scalar(3)), clip, -1, 6);
  build.output(build.binary(BinaryKind::div, low, build.scalar(6)));
  const OpId two = build.elementwise(build.sum(x, build.scalar(2)), clip, 0, 6);
  build.output(build.binary(BinaryKind::div, build.binary(mul, x, two), build.scalar(6)));
  expect_leaves(rewrite::find_activations, build.graph);
}

TEST(FindActivations, LeavesAGateThatOthersRead) {
  Builder build;
  const OpId x = build.input({1, 2, 3, 4});
  const OpId gate = build.elementwise(x, ActivationKind::sigmoid);
  build.output(build.binary(mul, x, gate));
  build.output(gate);
  expect_leaves(rewrite::find_activations, build.graph);
}

TEST(FindActivations, LeavesAClipThatOthersReadOrThatGatesAnother) {
  Builder build;
  const OpId x = build.input({1, 2, 3, 4});
  const OpId read_twice = clipped_after_three(build, x);
  build.output(divide_by_six(build, read_twice, Sixth::divided));
  build.output(read_twice);
  const OpId other = build.input({1, 2, 3, 4});
  build.output(divide_by_six(build, build.binary(mul, other, clipped_after_three(build, x)), Sixth::divided));
  expect_leaves(rewrite::find_activations, build.graph);
}

TEST(FindActivations, LeavesAGateForEachChannel) {
  Builder build;
  const OpId x = build.input({1, 2, 1, 1});
  const OpId gate = build.elementwise(x, ActivationKind::sigmoid);
  build.output(build.binary(mul, build.input({1, 2, 3, 4}), gate));
  expect_leaves(rewrite::find_activations, build.graph);
}

TEST(FuseActivations, GoIntoEachKindOfOperatorThatTakesThem) {
  Builder build;
  const OpId x = build.input({1, 2, 4, 4});
  build.output(build.relu(build.conv3(x, 3)));
  build.output(build.elementwise(build.scale_shift(x), clip, -1, 1));
  build.output(build.elementwise(build.sum(x, x), ActivationKind::sigmoid));
  const Graph after = expect_applies(rewrite::fuse_activations, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Conv", "ScaleShift", "Binary"}));
}

TEST(FuseActivations, KeepTheNameOfWhatTakesThem) {
  Builder build;
  const OpId conv = build.conv3(build.input({1, 2, 4, 4}), 3);
  build.output(build.relu(conv));
  EXPECT_EQ(expect_applies(rewrite::fuse_activations, build.graph).op(1).name, build.graph.op(conv).name);
}

TEST(FuseActivations, LeaveWhatOthersReadOrIsAnOutput) {
  Builder build;
  const OpId x = build.input({1, 2, 4, 4});
  const OpId read_twice = build.conv3(x, 2);
  const OpId output = build.conv3(x, 2);
  build.output(build.relu(read_twice));
  build.output(build.sum(read_twice, x));
  build.output(build.relu(output));
  build.output(output);
  expect_leaves(rewrite::fuse_activations, build.graph);
}

TEST(FuseActivations, LeaveASecondActivationAndOtherSources) {
  Builder build;
  const OpId x = build.input({1, 2, 4, 4});
  const OpId conv = build.conv3(x, 2);
  as<Conv>(build.graph.op(conv))->post_ops = {Activation{}};
  build.output(build.elementwise(conv, ActivationKind::sigmoid));
  build.output(build.relu(build.add({x}, Pool{.window = {{.kernel = 2}, {.kernel = 2}}})));
  build.output(build.relu(x));
  expect_leaves(rewrite::fuse_activations, build.graph);
}

TEST(FuseActivations, LeaveRareOnesBehindConvolutionsOnly) {
  Builder build;
  const OpId x = build.input({1, 2, 4, 4});
  build.output(build.elementwise(build.conv3(x, 2), ActivationKind::softplus));
  expect_leaves(rewrite::fuse_activations, build.graph);
  build.output(build.elementwise(build.scale_shift(x), ActivationKind::softplus));
  expect_applies(rewrite::fuse_activations, build.graph);
}

TEST(FuseActivations, FollowAResidual) {
  Builder build;
  const OpId x = build.input({1, 2, 4, 4});
  const OpId y = build.conv3(x, 2);
  Conv conv = *as<Conv>(build.graph.op(y));
  conv.post_ops = {AddInput{}};
  build.output(build.relu(build.add({x, y}, conv)));
  const Graph after = expect_applies(rewrite::fuse_activations, build.graph);
  const std::vector<PostOp> expected = {AddInput{}, Activation{}};
  EXPECT_EQ(*post_ops(after.op(2)), expected);
}

const Conv& fused(const Graph& graph, const std::string& name) {
  for (const Op& op : graph.ops)
    if (op.name == name && residual_input(op) == 1) return *as<Conv>(op);
  throw std::logic_error("no residual in " + name);
}

TEST(FuseResiduals, GoIntoTheOnlyConvolution) {
  for (const bool conv_first : {false, true}) {
    Builder build;
    const OpId x = build.input({2, 3, 4, 5});
    const OpId conv = build.conv3(x, 3);
    const OpId y = conv_first ? build.sum(conv, x) : build.sum(x, conv);
    as<Binary>(build.graph.op(y))->post_ops = {Activation{}};
    build.output(y);
    const Graph after = expect_applies(rewrite::fuse_residuals, build.graph);
    EXPECT_EQ(kinds(after), (Kinds{"Input", "Conv"}));
    const std::vector<PostOp> expected = {AddInput{}, Activation{}};
    EXPECT_EQ(fused(after, build.graph.op(conv).name).post_ops, expected);
  }
}

TEST(FuseResiduals, GoIntoTheLaterOfTwoConvolutions) {
  Builder build;
  const OpId x = build.input({1, 3, 4, 4});
  const OpId main = build.conv3(x, 2);
  const OpId shortcut = build.conv(x, 2);
  build.output(build.sum(shortcut, main));
  const Graph after = expect_applies(rewrite::fuse_residuals, build.graph);
  EXPECT_EQ(fused(after, build.graph.op(shortcut).name).post_ops.size(), 1U);
}

TEST(FuseResiduals, WaitForAnOperandThatComesLater) {
  Builder build;
  const OpId x = build.input({1, 3, 4, 4});
  const OpId conv = build.conv3(x, 3);
  const OpId later = build.relu(x);
  build.output(build.sum(conv, later));
  const Graph after = expect_applies(rewrite::fuse_residuals, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Elementwise", "Conv"}));
}

TEST(FuseResiduals, LeaveAConvolutionWithAnActivation) {
  Builder build;
  const OpId x = build.input({1, 3, 4, 4});
  const OpId conv = build.conv3(x, 3);
  as<Conv>(build.graph.op(conv))->post_ops = {Activation{ActivationKind::swish, 1, 0}};
  build.output(build.sum(x, conv));
  expect_leaves(rewrite::fuse_residuals, build.graph);
}

TEST(FuseResiduals, LeaveAnAdditionWithARareActivation) {
  Builder build;
  const OpId x = build.input({1, 3, 4, 4});
  const OpId y = build.sum(x, build.conv3(x, 3));
  as<Binary>(build.graph.op(y))->post_ops = {Activation{ActivationKind::softplus, 0, 0}};
  build.output(y);
  expect_leaves(rewrite::fuse_residuals, build.graph);
}

TEST(FuseResiduals, ComeOneToAConvolution) {
  Builder build;
  const OpId x = build.input({1, 3, 4, 4});
  const OpId once = build.sum(build.conv3(x, 3), x);
  build.output(build.sum(once, x));
  const Graph after = expect_applies(rewrite::fuse_residuals, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Conv", "Binary"}));
  expect_leaves(rewrite::fuse_residuals, after);
}

TEST(FuseResiduals, LeaveAConvolutionThatOthersReadOrIsAnOutput) {
  Builder build;
  const OpId x = build.input({1, 3, 4, 4});
  const OpId read_twice = build.conv3(x, 3);
  build.output(build.sum(read_twice, x));
  build.output(build.relu(read_twice));
  const OpId output = build.conv3(x, 3);
  build.output(build.sum(output, x));
  build.output(output);
  const OpId doubled = build.conv3(x, 3);
  build.output(build.sum(doubled, doubled));
  expect_leaves(rewrite::fuse_residuals, build.graph);
}

TEST(FuseResiduals, LeaveBroadcastsConstantsAndOtherArithmetic) {
  Builder build;
  const OpId x = build.input({1, 3, 4, 4});
  build.output(build.sum(build.conv3(x, 3), build.input({1, 3, 1, 1})));
  build.output(build.sum(build.conv3(x, 3), build.constant({1, 3, 4, 4})));
  build.output(build.binary(mul, build.conv3(x, 3), x));
  build.output(build.sum(x, x));
  expect_leaves(rewrite::fuse_residuals, build.graph);
}

}  // namespace
}  // namespace strake::test

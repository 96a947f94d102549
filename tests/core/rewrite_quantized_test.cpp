// SPDX-License-Identifier: Apache-2.0
// What fuses and what does not; tests/engine/quantized_test.cpp compares values.

#include <gtest/gtest.h>

#include "core/quantized_cases.hpp"
#include "core/rewrite/quantized.hpp"

namespace strake::rewrite {
namespace {

using namespace test;

Graph optimised(Graph graph) {
  optimise(graph);
  expect_well_formed(graph);
  return graph;
}

// Without constants.
Kinds operators(const Graph& graph) {
  Kinds list;
  for (const Op& op : graph.ops) {
    const auto* pointwise = as<Pointwise>(op);
    if (as<Constant>(op) != nullptr) continue;
    if (pointwise == nullptr) {
      list.emplace_back(kind_name(op));
    } else {
      list.emplace_back(pointwise->kind == PointwiseKind::quantize ? "quantize" : "dequantize");
    }
  }
  return list;
}

const IntegerConv& last_conv(const Graph& graph) {
  for (OpId id = graph.size() - 1; id >= 0; --id)
    if (const auto* conv = as<IntegerConv>(graph.op(id))) return *conv;
  throw std::logic_error("no IntegerConv");
}

// ---- weights ------------------------------------------------------------------------------------------------------

TEST(ByteWeights, AreFoundAgainWithTheirSteps) {
  const std::vector<float> weights = {3 * 0.017F, -127 * 0.017F, 0, 5 * 0.3F, -10 * 0.3F, 15 * 0.3F, 0, 0, 0};
  const std::optional<ByteWeights> bytes = byte_weights(weights, 3);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->type, ElementType::i8);
  EXPECT_TRUE(bytes->zeros.empty());
  for (std::size_t i = 0; i < weights.size(); ++i)
    EXPECT_NEAR(bytes->values[i] * bytes->steps[i / 3], weights[i], 1e-6F) << i;
}

TEST(ByteWeights, WithZeroPointsAreUnsigned) {
  const std::vector<float> weights = {200 * 0.01F, -50 * 0.01F, 7 * 0.01F, 3 * 0.01F, -1 * 0.01F, 0.01F};
  const std::optional<ByteWeights> bytes = byte_weights(weights, 2);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->type, ElementType::u8);
  ASSERT_EQ(bytes->zeros.size(), 2U);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float number = static_cast<std::uint8_t>(bytes->values[i]) - static_cast<float>(bytes->zeros[i / 3]);
    EXPECT_NEAR(number * bytes->steps[i / 3], weights[i], 1e-6F) << i;
  }
}

TEST(ByteWeights, AreNotFoundInFloats) {
  QuantizedBuilder b;
  const WeightId floats = b.weight({4, 3, 3, 3});
  EXPECT_FALSE(byte_weights(b.graph.weight(floats).values.floats(), 4));
  // More than 8 bits between the lowest and the highest.
  EXPECT_FALSE(byte_weights(std::vector<float>{200, -100, 1}, 1));
}

// ---- convolutions -------------------------------------------------------------------------------------------------

// dequantize - conv - relu - quantize
Graph quantized_conv(bool float_weights, ActivationKind function, bool read_twice = false) {
  QuantizedBuilder b;
  const OpId x = b.dequantize(b.bytes({1, 3, 8, 8}));
  const OpId conv = float_weights ? b.conv3(x, 6) : b.quantized_conv(x, 6, around3);
  const OpId active = b.elementwise(conv, function, 0.2F, 0.5F);
  b.output(b.quantize(active, {.scale = 0.02F, .zero = 7}));
  if (read_twice) b.output(active);
  return b.graph;
}

TEST(IntegerConvs, TakeReluAndBothQuantisationsIn) {
  const Graph after = optimised(quantized_conv(false, ActivationKind::relu));
  EXPECT_EQ(operators(after), (Kinds{"Input", "IntegerConv"}));
  const IntegerConv& conv = last_conv(after);
  EXPECT_EQ(conv.to, ElementType::u8);
  EXPECT_EQ(conv.low, 7);
  EXPECT_EQ(conv.high, 255);
  EXPECT_EQ(after.ops.back().type, ElementType::u8);
}

TEST(IntegerConvs, TakeClipIn) {
  const Graph after = optimised(quantized_conv(false, ActivationKind::clip));
  const IntegerConv& conv = last_conv(after);
  EXPECT_EQ(conv.low, 7 + 10);
  EXPECT_EQ(conv.high, 7 + 25);
}

TEST(IntegerConvs, MakeFloatsWhereSomebodyElseReadsThem) {
  const Graph after = optimised(quantized_conv(false, ActivationKind::relu, true));
  EXPECT_EQ(operators(after), (Kinds{"Input", "IntegerConv", "quantize"}));
  EXPECT_EQ(last_conv(after).to, ElementType::f32);
  EXPECT_EQ(last_conv(after).low, 0);
}

TEST(IntegerConvs, NeedWeightsOfBytes) {
  EXPECT_EQ(operators(optimised(quantized_conv(true, ActivationKind::relu))),
            (Kinds{"Input", "dequantize", "Conv", "quantize"}));
}

TEST(IntegerConvs, LeaveOtherActivations) {
  EXPECT_EQ(operators(optimised(quantized_conv(false, ActivationKind::swish))),
            (Kinds{"Input", "dequantize", "Conv", "quantize"}));
}

TEST(IntegerConvs, NeedBytesToRead) {
  QuantizedBuilder b;
  b.output(b.quantize(b.quantized_conv(b.input({1, 3, 8, 8}), 6)));
  EXPECT_EQ(operators(optimised(b.graph)), (Kinds{"Input", "Conv", "quantize"}));
}

TEST(IntegerConvs, NeedOneScaleForAllChannels) {
  QuantizedBuilder b;
  const OpId x = b.bytes({1, 3, 8, 8});
  const OpId scale = b.constant({3, 1, 1});
  const OpId zero = b.graph.op(b.dequantize(x)).inputs[2];
  b.output(b.quantized_conv(b.add({x, scale, zero}, Pointwise{.kind = PointwiseKind::dequantize}), 6));
  EXPECT_EQ(operators(optimised(b.graph)), (Kinds{"Input", "dequantize", "Conv"}));
}

// ---- residuals ----------------------------------------------------------------------------------------------------

TEST(IntegerConvs, AddADequantisedResidual) {
  QuantizedBuilder b;
  const OpId x = b.dequantize(b.bytes({1, 6, 8, 8}));
  b.output(b.quantize(b.relu(b.sum(b.quantized_conv(x, 6), x))));
  const Graph after = optimised(b.graph);
  EXPECT_EQ(operators(after), (Kinds{"Input", "IntegerConv"}));
  ASSERT_EQ(last_conv(after).residuals.size(), 1U);
  EXPECT_EQ(last_conv(after).residuals.front().step, 0);
}

TEST(IntegerConvs, RoundOnTheWayToTheResidualWhereTheModelDoes) {
  QuantizedBuilder b;
  const OpId x = b.dequantize(b.bytes({1, 6, 8, 8}));
  const OpId conv = b.through_bytes(b.quantized_conv(x, 6), {.scale = 0.1F, .zero = 100});
  b.output(b.quantize(b.relu(b.sum(conv, x)), {.scale = 0.2F}));
  const Graph after = optimised(b.graph);
  EXPECT_EQ(operators(after), (Kinds{"Input", "IntegerConv"}));
  const QuantizedResidual& residual = last_conv(after).residuals.front();
  EXPECT_FLOAT_EQ(residual.step, 0.5F);
  EXPECT_FLOAT_EQ(residual.scale, 0.25F);
  EXPECT_EQ(residual.low, -100);
  EXPECT_EQ(residual.high, 155);
}

TEST(IntegerConvs, LeaveSumsOfAnOutputThatOthersRead) {
  QuantizedBuilder b;
  const OpId x = b.dequantize(b.bytes({1, 6, 8, 8}));
  const OpId conv = b.through_bytes(b.quantized_conv(x, 6));
  b.output(b.sum(conv, x));
  b.output(conv);
  EXPECT_EQ(operators(optimised(b.graph)), (Kinds{"Input", "dequantize", "IntegerConv", "dequantize", "Binary"}));
}

// ---- moves and products -------------------------------------------------------------------------------------------

TEST(MoveBytes, PoolsAndReshapesBytes) {
  QuantizedBuilder b;
  const OpId x = b.dequantize(b.bytes({1, 6, 8, 8}));
  const Pool half{PoolKind::max, {{.kernel = 2, .stride = 2}, {.kernel = 2, .stride = 2}}, AverageOver::input_cells};
  b.output(b.quantize(b.reshape(b.add({x}, half), {1, 96})));
  EXPECT_EQ(operators(optimised(b.graph)), (Kinds{"Input", "Pool", "Reshape"}));
}

TEST(MoveBytes, LeavesAveragesAndOtherScales) {
  QuantizedBuilder b;
  const OpId x = b.dequantize(b.bytes({1, 6, 8, 8}));
  const Pool half{PoolKind::average, {{.kernel = 2, .stride = 2}, {.kernel = 2}}, AverageOver::input_cells};
  b.output(b.quantize(b.add({x}, half)));
  b.output(b.quantize(x, {.scale = 0.06F}));
  EXPECT_EQ(operators(optimised(b.graph)), (Kinds{"Input", "dequantize", "Pool", "quantize", "quantize"}));
}

TEST(IntegerProducts, OfManyRowsWithAConstantMatrix) {
  QuantizedBuilder b;
  const OpId x = b.dequantize(b.bytes({2, 5, 7}));
  const WeightId transposed = b.levels_of({9, 7});
  std::vector<float> matrix;
  for (std::size_t i = 0; i < 7; ++i)
    for (std::size_t m = 0; m < 9; ++m) matrix.push_back(b.graph.weight(transposed).values.floats()[m * 7 + i]);
  b.output(b.quantize(b.add({x, b.add({}, Constant{b.weight({7, 9}, matrix)}, {7, 9})}, MatMul{})));
  const Graph after = optimised(b.graph);
  EXPECT_EQ(operators(after), (Kinds{"Input", "Reshape", "IntegerConv", "Reshape"}));
  EXPECT_EQ(after.ops.back().shape, (Shape{2, 5, 9}));
}

TEST(QuantisedNetwork, HasFloatsOnlyAtItsEnds) {
  EXPECT_EQ(operators(optimised(quantized_net())),
            (Kinds{"Input", "quantize", "IntegerConv", "IntegerConv", "IntegerConv", "Pool", "IntegerConv", "Reshape",
                   "dequantize"}));
}

}  // namespace
}  // namespace strake::rewrite

// SPDX-License-Identifier: Apache-2.0
// Quantised models: what of them ends up in the graph. ONNX's own tests compare values.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/rewrite/rewrite.hpp"
#include "kernels/reference.hpp"
#include "onnx/import.hpp"
#include "onnx/models.hpp"

namespace strake::onnx_import {
namespace {

HostTensor floats(const Shape& shape, const std::vector<float>& values) { return HostTensor::of(shape, values); }
HostTensor bytes(const Shape& shape, const std::vector<std::int8_t>& values) { return HostTensor::of(shape, values); }
HostTensor byte(std::uint8_t value) { return HostTensor::of<std::uint8_t>({}, {value}); }

std::ptrdiff_t count(const Graph& graph, std::string_view kind) {
  return std::ranges::count_if(graph.ops, [&](const Op& op) { return kind_name(op) == kind; });
}

std::vector<float> last_values(const Graph& graph, const std::vector<float>& x) {
  return kernels::evaluate_reference(graph, {x})[static_cast<std::size_t>(graph.outputs.front().op)];
}

// x - quantised - conv with dequantised weights and bias - relu - quantised
void add_quantized_conv(TestModel& model) {
  model.input("x", ElementType::f32, {1, 2, 3, 3}).output("y", ElementType::f32);
  model.weight("x_scale", floats({}, {0.1F})).weight("zero", byte(128));
  model.weight("y_scale", floats({}, {0.25F})).weight("y_zero", byte(0));
  model.weight("w", bytes({2, 2, 1, 1}, {3, -127, 64, 5})).weight("w_scale", floats({2}, {0.01F, 0.02F}));
  model.weight("w_zero", bytes({2}, {0, 0}));
  model.weight("b", HostTensor::of<std::int32_t>({2}, {400, -90})).weight("b_scale", floats({2}, {0.001F, 0.002F}));
  model.add(node("QuantizeLinear", {"x", "x_scale", "zero"}, {"xq"}));
  model.add(node("DequantizeLinear", {"xq", "x_scale", "zero"}, {"xd"}));
  model.add(node("DequantizeLinear", {"w", "w_scale", "w_zero"}, {"wd"}, {attribute("axis", 0)}));
  model.add(node("DequantizeLinear", {"b", "b_scale"}, {"bd"}, {attribute("axis", 0)}));
  model.add(node("Conv", {"xd", "wd", "bd"}, {"c"}));
  model.add(node("Relu", {"c"}, {"r"}));
  model.add(node("QuantizeLinear", {"r", "y_scale", "y_zero"}, {"q"}));
  model.add(node("DequantizeLinear", {"q", "y_scale", "y_zero"}, {"y"}));
}

TEST(QuantizedModels, BecomeIntegerConvolutionsThoughTheirWeightsAreFolded) {
  TestModel file;
  add_quantized_conv(file);
  const Model model = import_model(file.file(), {});
  EXPECT_TRUE(model.tail.nodes.empty());
  Graph graph = model.graph;
  rewrite::optimise(graph);
  EXPECT_EQ(count(graph, "Conv"), 0);
  EXPECT_EQ(count(graph, "IntegerConv"), 1);
  EXPECT_EQ(count(graph, "Pointwise"), 2);
  std::vector<float> x;
  for (int i = 0; i < 18; ++i) x.push_back(static_cast<float>(i % 7) - 2.93F);
  EXPECT_EQ(last_values(graph, x), last_values(model.graph, x));
}

TEST(QuantizedModels, MayMeasureTheirScalesInEveryFrame) {
  TestModel file;
  file.input("x", ElementType::f32, {1, 2, 5, 5}).output("y", ElementType::f32);
  file.weight("w", bytes({3, 2, 3, 3}, std::vector<std::int8_t>(54, 5))).weight("w_scale", floats({}, {0.01F}));
  file.add(node("DynamicQuantizeLinear", {"x"}, {"xq", "x_scale", "x_zero"}));
  file.add(node("ConvInteger", {"xq", "w", "x_zero"}, {"sums"}));
  file.add(node("Cast", {"sums"}, {"f"}, {attribute("to", onnx_type(ElementType::f32))}));
  file.add(node("Mul", {"x_scale", "w_scale"}, {"scale"}));
  file.add(node("Mul", {"f", "scale"}, {"y"}));
  const Model model = import_model(file.file(), {});
  EXPECT_TRUE(model.tail.nodes.empty());
  EXPECT_EQ(count(model.graph, "IntegerConv"), 1);
  std::vector<float> x;
  for (int i = 0; i < 50; ++i) x.push_back(static_cast<float>(i) / 10 - 1);
  float sum = 0;
  for (const int i : {0, 1, 2, 5, 6, 7, 10, 11, 12, 25, 26, 27, 30, 31, 32, 35, 36, 37})
    sum += x[static_cast<std::size_t>(i)] * 0.05F;
  EXPECT_NEAR(last_values(model.graph, x).front(), sum, 18 * 0.05F * 5.0F / 255);
}

TEST(QuantizedModels, MayMultiplyMatricesWithZeroPointsOfRows) {
  TestModel file;
  file.input("a", ElementType::f32, {2, 2}).output("y", ElementType::i32);
  file.weight("one", floats({}, {1})).weight("none", byte(0));
  file.weight("zeros", HostTensor::of<std::uint8_t>({2}, {1, 2})).weight("b", bytes({2, 1}, {3, -4}));
  file.add(node("QuantizeLinear", {"a", "one", "none"}, {"aq"}));
  file.add(node("MatMulInteger", {"aq", "b", "zeros"}, {"y"}));
  EXPECT_EQ(last_values(import_model(file.file(), {}).graph, {5, 6, 7, 8}), (std::vector<float>{-8, -9}));
}

TEST(QuantizedModels, MayNotHaveBlocksOfScales) {
  TestModel file(21);
  file.input("x", ElementType::f32, {1, 4}).output("y", ElementType::u8);
  file.weight("scales", floats({1, 2}, {1, 2}));
  file.add(node("QuantizeLinear", {"x", "scales"}, {"y"}, {attribute("block_size", 2)}));
  EXPECT_FALSE(import_model(file.file(), {}).tail.nodes.empty());
}

}  // namespace
}  // namespace strake::onnx_import

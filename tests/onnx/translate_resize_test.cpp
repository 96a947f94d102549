// SPDX-License-Identifier: Apache-2.0
// Nodes that change the size of maps, in what ONNX's own tests leave out: old opsets, axes, ratios, antialiasing.

#include <gtest/gtest.h>

#include "onnx/one_node.hpp"

namespace strake::onnx_import {
namespace {

using namespace test;

HostValue floats(const Values& values) { return HostValue::of_floats({static_cast<Index>(values.size())}, values); }
HostValue integers(const std::vector<std::int64_t>& values) {
  return HostValue::of_integers({static_cast<Index>(values.size())}, values);
}

TEST(Resize, BeforeOpset11TakesTheCellBehindWhereItShrinks) {
  const onnx::NodeProto node = node_of("Resize", {"x", "scales"});
  const Translated small =
      translate(node, {1, 1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}, {{"scales", floats({1, 1, 0.6F, 0.6F})}}, 10);
  EXPECT_EQ(small.shape, (Shape{1, 1, 1, 2}));
  EXPECT_EQ(small.values, (Values{1, 3}));
  const Translated large = translate(node, {1, 1, 1, 2}, {1, 2}, {{"scales", floats({1, 1, 1, 2})}}, 10);
  EXPECT_EQ(large.values, (Values{1, 1, 2, 2}));
}

TEST(Resize, OfSomeAxesLeavesTheOthers) {
  onnx::NodeProto node = node_of("Resize", {"x", "", "", "sizes"});
  set(node, "axes", std::vector<Index>{-1});
  const Translated found = translate(node, {1, 1, 2, 2}, {1, 2, 3, 4}, {{"sizes", integers({4})}});
  EXPECT_EQ(found.shape, (Shape{1, 1, 2, 4}));
  EXPECT_EQ(found.values, (Values{1, 1, 2, 2, 3, 3, 4, 4}));
}

TEST(Resize, KeepsTheRatioOfAxesWhereItIsTold) {
  for (const auto& [policy, shape] :
       {std::pair("not_larger", Shape{1, 1, 4, 8}), {"not_smaller", Shape{1, 1, 7, 14}}}) {
    onnx::NodeProto node = node_of("Resize", {"x", "", "", "sizes"});
    set(node, "axes", std::vector<Index>{2, 3});
    set(node, "keep_aspect_ratio_policy", std::string(policy));
    const Translated found = translate(node, {1, 1, 2, 4}, Values(8, 1.0F), {{"sizes", integers({7, 8})}});
    EXPECT_EQ(found.shape, shape) << policy;
  }
}

TEST(Resize, WithAntialiasingMixesAllThatItLeavesOut) {
  onnx::NodeProto node = node_of("Resize", {"x", "", "scales"});
  set(node, "mode", std::string("linear"));
  set(node, "antialias", Index{1});
  // From ONNX 1.14's test resize_downsample_scales_linear_antialias.
  Values x;
  for (int i = 1; i <= 16; ++i) x.push_back(static_cast<float>(i));
  const Translated found = translate(node, {1, 1, 4, 4}, x, {{"scales", floats({1, 1, 0.6F, 0.6F})}});
  const Values expected = {2.875F, 4.5F, 9.375F, 11.0F};
  ASSERT_EQ(found.values.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found.values[i], expected[i], 1e-5);
}

TEST(Resize, RefusesWhatMakesNoMap) {
  const onnx::NodeProto node = node_of("Resize", {"x", "", "scales"});
  EXPECT_THROW((void)translate(node, {1, 1, 2, 2}, Values(4), {{"scales", floats({1, 1, 0, 1})}}), InvalidInput);
  EXPECT_THROW((void)translate(node, {1, 1, 2, 2}, Values(4), {{"scales", floats({1, 1, 0.1F, 1})}}), InvalidInput);
  EXPECT_THROW((void)translate(node, {1, 1, 2, 2}, Values(4), {{"scales", floats({1, 1})}}), InvalidInput);
  EXPECT_THROW((void)translate(node_of("Resize", {"x"}), {1, 1, 2, 2}, Values(4)), InvalidInput);
}

TEST(Pad, CutsBeforeItMirrors) {
  onnx::NodeProto node = node_of("Pad", {"x", "pads"});
  set(node, "mode", std::string("reflect"));
  const Translated found = translate(node, {1, 4}, {1, 2, 3, 4}, {{"pads", integers({0, 2, 0, -1})}});
  EXPECT_EQ(found.values, (Values{3, 2, 1, 2, 3}));
}

TEST(AffineGrid, OfTheIdentityNamesTheCellsOfTheMap) {
  for (const Index corners : {0, 1}) {
    onnx::NodeProto node = node_of("AffineGrid", {"x", "size"});
    set(node, "align_corners", corners);
    const Translated found = translate(node, {1, 2, 3}, {1, 0, 0, 0, 1, 0}, {{"size", integers({1, 1, 2, 2})}}, 20);
    const float far = corners == 1 ? 1.0F : 0.5F;
    EXPECT_EQ(found.shape, (Shape{1, 2, 2, 2}));
    EXPECT_EQ(found.values, (Values{-far, -far, far, -far, -far, far, far, far}));
  }
}

}  // namespace
}  // namespace strake::onnx_import

// SPDX-License-Identifier: Apache-2.0
// Nodes with windows and what they become, against their definitions.

#include <gtest/gtest.h>

#include <cmath>

#include "onnx/one_node.hpp"

namespace strake::onnx_import {
namespace {

using namespace test;

// ---- transposed convolutions --------------------------------------------------------------------------------------

/// A random ConvTranspose over `n_axes` spatial axes, and what ONNX defines it to be.
class TransposedCase {
 public:
  TransposedCase(unsigned seed, std::size_t n_axes) : random_(seed), n_(n_axes) {
    groups_ = pick(random_, 1, 2);
    src_ = {pick(random_, 1, 2), groups_ * pick(random_, 1, 3)};
    weights_ = {src_[1], pick(random_, 1, 3)};
    for (std::size_t i = 0; i < n_; ++i) {
      src_.push_back(pick(random_, 1, 6));
      weights_.push_back(pick(random_, 1, 5));
      strides_.push_back(pick(random_, 1, 4));
      dilations_.push_back(pick(random_, 1, 3) == 1 ? 2 : 1);
      more_.push_back(pick(random_, 0, strides_.back() - 1));
    }
    x_ = random_values(random_, src_);
    w_ = random_values(random_, weights_);
    b_ = random_values(random_, {weights_[1] * groups_});
    with_bias_ = pick(random_, 0, 1) == 1;
    choose_pads();
  }

  void check() {
    onnx::NodeProto node = node_of("ConvTranspose", {"x", "w"});
    if (with_bias_) node.add_input("b");
    set(node, "group", groups_);
    set(node, "strides", strides_);
    set(node, "dilations", dilations_);
    set(node, "output_padding", more_);
    set(node, "pads", pads_);
    const Translated found = translate(
        node, src_, x_,
        {{"w", HostValue::of_floats(weights_, w_)}, {"b", HostValue::of_floats({static_cast<Index>(b_.size())}, b_)}});
    ASSERT_EQ(found.shape, dst_);
    const std::vector<double> expected = scattered();
    // Sums of a few hundred products of numbers below 1.
    for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(found.values[i], expected[i], 1e-4) << "cell " << i;
  }

 private:
  // As much is cut from each end as leaves a map.
  void choose_pads() {
    pads_.assign(2 * n_, 0);
    dst_ = {src_[0], weights_[1] * groups_};
    for (std::size_t i = 0; i < n_; ++i) {
      const Index all = strides_[i] * (src_[i + 2] - 1) + more_[i] + (weights_[i + 2] - 1) * dilations_[i] + 1;
      pads_[i] = pick(random_, 0, (all - 1) / 2);
      pads_[n_ + i] = pick(random_, 0, (all - 1) / 2);
      dst_.push_back(all - pads_[i] - pads_[n_ + i]);
    }
  }

  static Index flat(const Shape& shape, const strake::test::Cell& cell) {
    Index place = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) place = place * shape[axis] + cell[axis];
    return place;
  }

  // Each input cell adds its product with each weight where that weight lies.
  [[nodiscard]] std::vector<double> scattered() const {
    std::vector<double> y(static_cast<std::size_t>(volume(dst_)), 0.0);
    for (const strake::test::Cell& at : strake::test::cells_of(whole(src_)))
      for (const strake::test::Cell& tap : strake::test::cells_of(whole(weights_))) {
        if (tap[0] != at[1]) continue;
        strake::test::Cell to = {at[0], at[1] / (src_[1] / groups_) * weights_[1] + tap[1]};
        bool inside = true;
        for (std::size_t i = 0; i < n_; ++i) {
          to.push_back(at[i + 2] * strides_[i] + tap[i + 2] * dilations_[i] - pads_[i]);
          inside = inside && to.back() >= 0 && to.back() < dst_[i + 2];
        }
        if (!inside) continue;
        y[static_cast<std::size_t>(flat(dst_, to))] +=
            static_cast<double>(x_[static_cast<std::size_t>(flat(src_, at))]) *
            static_cast<double>(w_[static_cast<std::size_t>(flat(weights_, tap))]);
      }
    if (with_bias_)
      for (const strake::test::Cell& to : strake::test::cells_of(whole(dst_)))
        y[static_cast<std::size_t>(flat(dst_, to))] += static_cast<double>(b_[static_cast<std::size_t>(to[1])]);
    return y;
  }

  Random random_;
  std::size_t n_;
  Index groups_ = 1;
  Shape src_;
  Shape weights_;  // (c, m / groups, k...)
  Shape dst_;
  std::vector<Index> strides_;
  std::vector<Index> dilations_;
  std::vector<Index> more_;
  std::vector<Index> pads_;
  bool with_bias_ = false;
  Values x_;
  Values w_;
  Values b_;
};

TEST(TransposedConvolutions, OfLinesMapsAndVolumesAreSumsOfScatteredProducts) {
  for (unsigned seed = 0; seed < 120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TransposedCase(seed, 1 + seed % 3).check();
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(TransposedConvolutions, OfMapsAreConvolutionsThatMakeAllPhasesAtOnce) {
  onnx::NodeProto node = node_of("ConvTranspose", {"x", "w"});
  set(node, "strides", std::vector<Index>{2, 2});
  const Shape shape = {1, 3, 4, 4};
  const Translated found =
      translate(node, shape, Values(48, 1.0F), {{"w", HostValue::of_floats({3, 5, 2, 2}, Values(60, 1.0F))}});
  ASSERT_EQ(found.graph.size(), 3);
  const auto* conv = as<Conv>(found.graph.op(1));
  ASSERT_NE(conv, nullptr);
  EXPECT_EQ(found.graph.weight(conv->weights).shape, (Shape{20, 3, 1, 1}));
  EXPECT_NE(as<DepthToSpace>(found.graph.op(2)), nullptr);
}

TEST(TransposedConvolutions, RefuseKernelsThatNoMemoryHolds) {
  onnx::NodeProto node = node_of("ConvTranspose", {"x", "w"});
  set(node, "strides", std::vector<Index>{1 << 20, 1 << 20});
  EXPECT_THROW((void)translate(node, {1, 1, 1, 1}, {1}, {{"w", HostValue::of_floats({1, 1, 1, 1}, {1})}}),
               InvalidInput);
}

// ---- pools --------------------------------------------------------------------------------------------------------

TEST(LpPools, AreRootsOfSumsOfPowers) {
  Random random(5);
  const Shape shape = {1, 2, 5, 6};
  const Values x = random_values(random, shape);
  for (const Index p : {1, 2, 3}) {
    onnx::NodeProto node = node_of("LpPool", {"x"});
    set(node, "kernel_shape", std::vector<Index>{2, 3});
    set(node, "p", p);
    const Translated found = translate(node, shape, x);
    ASSERT_EQ(found.shape, (Shape{1, 2, 4, 4}));
    for (std::size_t c = 0; c < 2; ++c)
      for (std::size_t oy = 0; oy < 4; ++oy)
        for (std::size_t ox = 0; ox < 4; ++ox) {
          double sum = 0;
          for (std::size_t y = oy; y < oy + 2; ++y)
            for (std::size_t column = ox; column < ox + 3; ++column)
              sum += std::pow(std::abs(static_cast<double>(x[(c * 5 + y) * 6 + column])), static_cast<double>(p));
          // Six powers, a sum and a root in float.
          EXPECT_NEAR(found.values[(c * 4 + oy) * 4 + ox], std::pow(sum, 1.0 / static_cast<double>(p)), 1e-5);
        }
  }
}

}  // namespace
}  // namespace strake::onnx_import

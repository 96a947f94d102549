// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/rewrite_cases.hpp"

namespace strake::test {
namespace {

bool optimise_once(Graph& graph) {
  const std::string before = fingerprint(graph);
  rewrite::optimise(graph);
  return fingerprint(graph) != before;
}

/// What an importer makes of Gemm with a constant matrix: flatten, 1x1 convolution, flatten.
OpId gemm(Builder& build, OpId x, Index outputs) {
  const Shape shape = build.graph.shape(x);
  const Index inputs = volume(shape) / shape[0];
  return build.reshape(build.conv(build.reshape(x, {shape[0], inputs, 1, 1}), outputs), {shape[0], outputs});
}

OpId conv_norm_relu(Builder& build, OpId x, Index channels) {
  return build.relu(build.scale_shift(build.conv3(x, channels)));
}

TEST(Optimise, MakesConvolutionsOfAResidualBlock) {
  Builder build;
  const OpId x = conv_norm_relu(build, build.input({1, 3, 6, 6}), 4);
  const OpId main = build.scale_shift(build.conv3(conv_norm_relu(build, x, 4), 4));
  const OpId shortcut = build.scale_shift(build.conv(x, 4));
  build.output(build.relu(build.sum(main, shortcut)));
  const Graph after = expect_applies(optimise_once, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Conv", "Conv", "Conv", "Conv"}));
  const std::vector<PostOp> expected = {AddInput{}, Activation{}};
  EXPECT_EQ(*post_ops(after.op(4)), expected);
}

TEST(Optimise, MakesConvolutionsOfAClassifier) {
  Builder build;
  const OpId map = conv_norm_relu(build, build.input({2, 3, 4, 5}), 4);
  const OpId flat = build.reshape(map, {2, 80});
  const OpId hidden = build.relu(build.sum(gemm(build, flat, 6), build.constant({6})));
  build.output(gemm(build, hidden, 3));
  const Graph after = expect_applies(optimise_once, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Conv", "Conv", "Conv", "Reshape"}));
}

TEST(Optimise, MakesAClassifierBehindAGlobalMeanLocal) {
  Builder build;
  const OpId map = build.input({2, 3, 4, 5});
  const OpId mean = build.add({map}, Reduce{.kind = GenericReduceKind::mean, .axes = {2, 3}});
  build.output(gemm(build, build.reshape(mean, {2, 3}), 7));
  const Graph after = expect_applies(optimise_once, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "ReduceRows", "ReduceParts", "Conv", "Reshape"}));
}

TEST(Optimise, FusesASpelledOutHardSwishBehindANormalisation) {
  Builder build;
  const OpId x = build.scale_shift(build.conv3(build.input({1, 3, 4, 4}), 4));
  const OpId gate = build.elementwise(build.sum(x, build.scalar(3)), ActivationKind::clip, 0, 6);
  build.output(build.binary(BinaryKind::div, build.binary(BinaryKind::mul, x, gate), build.scalar(6)));
  const Graph after = expect_applies(optimise_once, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Conv"}));
}

TEST(Optimise, TakesOneDimensionalConvolutionsTogether) {
  Builder build;
  OpId x = build.reshape(build.input({1, 3, 8}), {1, 3, 1, 8});
  for (int layer = 0; layer < 2; ++layer) {
    const Conv conv{.window = {{}, {.kernel = 3}},
                    .groups = 1,
                    .weights = build.weight({3, 3, 1, 3}),
                    .bias = no_weight,
                    .post_ops = {}};
    const Index columns = build.graph.shape(x)[3] - 2;
    x = build.relu(build.scale_shift(build.reshape(build.add({x}, conv), {1, 3, columns})));
    x = build.reshape(x, {1, 3, 1, columns});
  }
  build.output(x);
  const Graph after = expect_applies(optimise_once, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Reshape", "Conv", "Conv"}));
}

TEST(Optimise, FindsNothingTheSecondTime) {
  Builder build;
  const OpId x = conv_norm_relu(build, build.input({1, 3, 6, 6}), 4);
  build.output(build.sum(build.conv3(x, 4), x));
  Graph graph = build.graph;
  EXPECT_TRUE(optimise_once(graph));
  expect_leaves(optimise_once, graph);
}

/// Chains operators at random; any earlier map may be an operand or an output.
class RandomNet {
 public:
  explicit RandomNet(unsigned seed) : random_(seed) {}

  Graph make() {
    maps_.push_back(build_.input({1, 4, 6, 5}));
    for (Index n = pick(4, 14); n > 0; --n) maps_.push_back(next());
    build_.output(maps_.back());
    if (pick(0, 2) == 0) build_.output(any());
    return std::move(build_.graph);
  }

 private:
  Index pick(Index least, Index most) { return std::uniform_int_distribution<Index>(least, most)(random_); }
  // Mostly the newest, so that chains arise; all maps have one shape.
  OpId any() { return pick(0, 2) > 0 ? maps_.back() : maps_[static_cast<std::size_t>(pick(0, std::ssize(maps_) - 1))]; }

  OpId next() {
    switch (pick(0, 9)) {
      case 0:
        return build_.conv3(any(), 4);
      case 1:
        return build_.conv(any(), 4, {}, 2);
      case 2:
        return build_.scale_shift(any());
      case 3:
        return build_.relu(any());
      case 4:
        return build_.sum(any(), any());
      case 5:
        return build_.binary(BinaryKind::mul, any(), build_.constant({4, 1, 1}));
      case 6:
        return gated(any());
      case 7:
        return padded(any());
      case 8:
        return turned(any());
      default:
        return build_.sum(any(), build_.add({any()}, Reduce{.kind = GenericReduceKind::mean, .axes = {2, 3}}));
    }
  }

  OpId gated(OpId x) {
    const OpId gate = build_.elementwise(x, ActivationKind::sigmoid);
    if (pick(0, 3) == 0) maps_.push_back(gate);
    return build_.binary(BinaryKind::mul, x, gate);
  }

  OpId padded(OpId x) {
    const OpId pad = build_.add({x}, Pad{.begin = {0, 0, 1, 1}, .value = 0}, {1, 4, 8, 7});
    const OpId shifted = pick(0, 1) == 0 ? build_.scale_shift(pad) : pad;
    return build_.conv(shifted, 4, {.kernel = 3});
  }

  OpId turned(OpId x) {
    const OpId flat = build_.relu(build_.reshape(x, {1, 4, 30}));
    return build_.reshape(build_.scale_shift(flat), {1, 4, 6, 5});
  }

  std::mt19937 random_;
  Builder build_;
  std::vector<OpId> maps_;
};

TEST(Optimise, KeepsTheValuesOfRandomGraphs) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph before = RandomNet(seed).make();
    Graph after = before;
    rewrite::optimise(after);
    expect_well_formed(after);
    expect_same_values(before, after);
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace strake::test

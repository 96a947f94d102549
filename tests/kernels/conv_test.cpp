// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <omp.h>

#include "core/errors.hpp"
#include "kernels/random_conv.hpp"

namespace strake::kernels {
namespace {

using namespace test;

// Sums of up to 64 * 49 products of size 1 in float, in any order: 3,136 roundings of 6e-8 of partial sums below 60.
constexpr float tolerance = 2e-4F;

TEST(Convolution, AgreesWithTheReferenceOnRandomSlabs) {
  Random random(21);
  for (int layer = 0; layer < 150; ++layer) {
    const RandomConv drawn = random_conv(random);
    SCOPED_TRACE("seed 21, layer " + std::to_string(layer) + ": " + drawn.text);
    SlabRunner runner(drawn.graph, drawn.inputs);
    const Box all = whole(drawn.graph.shape(drawn.op));
    expect_close(runner.run(drawn.op, all, Exactness::fastest), runner.expected(drawn.op, all), tolerance);
    for (int slab = 0; slab < 4; ++slab) {
      const Box box = random_slab(random, drawn.graph.shape(drawn.op));
      SCOPED_TRACE(to_string(box));
      const Layout layout{.margin = pick(random, 0, 2), .residual_in_place = pick(random, 0, 1) == 0};
      expect_close(runner.run(drawn.op, box, Exactness::fastest, layout), runner.expected(drawn.op, box), tolerance);
    }
  }
}

struct Layer {
  Shape src;
  Index oc = 1;
  WindowAxis window;
  Index groups = 1;
  std::vector<PostOp> post_ops = {};
};

struct Made {
  Graph graph;
  OpId op = 0;
  Values input;
};

Made make(const Layer& layer) {
  Random random(22);
  Made made;
  const OpId src = add_input(made.graph, layer.src);
  const Index kernel = layer.window.kernel;
  made.op = add_op(
      made.graph, {src},
      Conv{.window = {.h = layer.window, .w = layer.window},
           .groups = layer.groups,
           .weights = add_random_weight(made.graph, random, {layer.oc, layer.src[1] / layer.groups, kernel, kernel}),
           .bias = add_random_weight(made.graph, random, {layer.oc}),
           .post_ops = layer.post_ops});
  made.input = random_values(random, layer.src);
  return made;
}

constexpr WindowAxis padded3 = {.kernel = 3, .stride = 1, .dilation = 1, .pad_begin = 1, .pad_end = 1};

TEST(Convolution, OfUsualShapesIsNeverAReference) {
  const std::vector<Layer> layers = {
      {.src = {1, 3, 64, 64}, .oc = 32, .window = {.kernel = 7, .stride = 2, .pad_begin = 3, .pad_end = 3}},
      {.src = {1, 64, 28, 28}, .oc = 64, .window = padded3},
      {.src = {1, 64, 28, 28}, .oc = 256, .window = {.kernel = 1}},
      {.src = {1, 64, 28, 28}, .oc = 128, .window = {.kernel = 1, .stride = 2}},
      {.src = {1, 96, 28, 28}, .oc = 96, .window = padded3, .groups = 96}};
  for (const Layer& layer : layers) {
    const Made made = make(layer);
    SlabRunner runner(made.graph, {made.input});
    for (const Exactness exactness : {Exactness::fastest, Exactness::exact}) {
      (void)runner.run(made.op, whole(made.graph.shape(made.op)), exactness);
      EXPECT_EQ(runner.implementation().find("ref"), std::string::npos) << runner.implementation();
#if defined(__x86_64__)
      EXPECT_EQ(runner.implementation().find("own"), std::string::npos) << to_string(layer.src);
#endif
      // A strided pointwise convolution leaves the last column out and still copies nothing; but for AVX2's exact one,
      // which wants that column to be there.
      if (exactness == Exactness::fastest || runner.implementation().find("jit_1x1:avx2") == std::string::npos) {
        EXPECT_EQ(runner.implementation().find("staged"), std::string::npos) << to_string(layer.src);
      }
    }
  }
}

TEST(Convolution, OfNothingButPaddingIsBiasAndActivation) {
  const Layer layer{.src = {1, 8, 4, 4},
                    .oc = 16,
                    .window = {.kernel = 3, .stride = 1, .dilation = 1, .pad_begin = 4, .pad_end = 4},
                    .groups = 1,
                    .post_ops = {Activation{.kind = ActivationKind::swish, .alpha = 1}}};
  const Made made = make(layer);
  SlabRunner runner(made.graph, {made.input});
  const Box all = whole(made.graph.shape(made.op));
  const Box edge = with_axis(all, 2, {0, 2});
  ASSERT_TRUE(input_boxes(made.graph, made.op, edge).front().empty());
  for (const Exactness exactness : {Exactness::fastest, Exactness::exact})
    expect_close(runner.run(made.op, edge, exactness), runner.expected(made.op, edge), tolerance);
  const Values whole_layer = runner.run(made.op, all, Exactness::exact);
  EXPECT_EQ(differing_bits(runner.run(made.op, edge, Exactness::exact), part_of(whole_layer, all, edge)), 0U);
}

TEST(Convolution, WithAnActivationThatTheLibraryLacksIsOurOwn) {
  const Layer layer{.src = {1, 8, 9, 9},
                    .oc = 20,
                    .window = padded3,
                    .groups = 1,
                    .post_ops = {Activation{.kind = ActivationKind::softplus}}};
  const Made made = make(layer);
  SlabRunner runner(made.graph, {made.input});
  const Box all = whole(made.graph.shape(made.op));
  expect_close(runner.run(made.op, all, Exactness::fastest), runner.expected(made.op, all), tolerance);
  EXPECT_EQ(runner.implementation(), "own_conv");
}

TEST(Convolution, OfSingleChannelsIsOurOwnWhereTheLibraryHasNone) {
  Random random(24);
  for (const Index channels : {2, 15, 16, 17, 32, 37}) {
    for (const Index stride : {1, 2}) {
      const Layer layer{.src = {1, channels, 11, 9},
                        .oc = channels,
                        .window = {.kernel = 3, .stride = stride, .dilation = 1, .pad_begin = 1, .pad_end = 1},
                        .groups = channels,
                        .post_ops = {Activation{.kind = ActivationKind::softplus}}};
      SCOPED_TRACE(std::to_string(channels) + " channels, stride " + std::to_string(stride));
      const Made made = make(layer);
      SlabRunner runner(made.graph, {made.input});
      const Box all = whole(made.graph.shape(made.op));
      const Values whole_layer = runner.run(made.op, all, Exactness::exact);
      EXPECT_EQ(runner.implementation(), "own_depthwise");
      expect_close(whole_layer, runner.expected(made.op, all), tolerance);
      for (int slab = 0; slab < 8; ++slab) {
        const Box box = random_slab(random, made.graph.shape(made.op));
        EXPECT_EQ(differing_bits(runner.run(made.op, box, Exactness::exact), part_of(whole_layer, all, box)), 0U)
            << to_string(box);
      }
    }
  }
}

TEST(Convolution, HasTheSameBitsForEveryNumberOfThreadsWhenExact) {
  Random random(23);
  const int before = omp_get_max_threads();
  for (int layer = 0; layer < 40; ++layer) {
    const RandomConv drawn = random_conv(random);
    SCOPED_TRACE("seed 23, layer " + std::to_string(layer) + ": " + drawn.text);
    SlabRunner runner(drawn.graph, drawn.inputs);
    const Box all = whole(drawn.graph.shape(drawn.op));
    omp_set_num_threads(1);
    const Values alone = runner.run(drawn.op, all, Exactness::exact);
    for (const int n_threads : {2, 3}) {
      omp_set_num_threads(n_threads);
      EXPECT_EQ(differing_bits(runner.run(drawn.op, all, Exactness::exact), alone), 0U) << n_threads << " threads";
    }
  }
  omp_set_num_threads(before);
}

}  // namespace
}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <omp.h>

#include "kernels/random_conv.hpp"

namespace strake::kernels {
namespace {

using namespace test;

// Sums of up to 90 products of size 1 in float: 90 roundings of 6e-8 of partial sums below 90.
constexpr float tolerance = 2e-4F;

struct Drawn {
  Graph graph;
  OpId op = 0;
  std::vector<Values> inputs;
};

// Channels that leave tails, strides, and the post-ops that a matrix product finishes in registers or behind it.
Drawn draw(Random& random, Index most_channels, Index most_size) {
  Drawn drawn;
  const Shape shape = {pick(random, 1, 2), pick(random, 1, most_channels), pick(random, 1, most_size),
                       pick(random, 1, most_size)};
  const Index oc = pick(random, 1, most_channels);
  const Index stride = pick(random, 1, 2);
  const WindowAxis axis{.kernel = 1, .stride = stride};
  Conv conv{.window = {.h = axis, .w = axis},
            .groups = 1,
            .weights = add_random_weight(drawn.graph, random, {oc, shape[1], 1, 1}),
            .bias = pick(random, 0, 1) == 0 ? no_weight : add_random_weight(drawn.graph, random, {oc}),
            .post_ops = {}};
  std::vector<OpId> sources = {add_input(drawn.graph, shape)};
  drawn.inputs.push_back(random_values(random, shape));
  if (pick(random, 0, 1) == 0) {
    const Shape dst = {shape[0], oc, (shape[2] - 1) / stride + 1, (shape[3] - 1) / stride + 1};
    sources.push_back(add_input(drawn.graph, dst));
    drawn.inputs.push_back(random_values(random, dst));
    conv.post_ops.emplace_back(AddInput{.input = 1});
  }
  const Index function = pick(random, 0, 5);
  if (function == 1) conv.post_ops.emplace_back(Activation{.kind = ActivationKind::relu});
  if (function == 2) conv.post_ops.emplace_back(Activation{.kind = ActivationKind::clip, .alpha = -0.5F, .beta = 2});
  if (function == 3) conv.post_ops.emplace_back(Activation{.kind = ActivationKind::swish, .alpha = 1});
  if (function == 4) conv.post_ops.emplace_back(Activation{.kind = ActivationKind::hard_swish});
  drawn.op = add_op(drawn.graph, sources, std::move(conv));
  return drawn;
}

TEST(Convolution1x1, AgreesWithTheReferenceOnRandomSlabs) {
  Random random(51);
  const int before = omp_get_max_threads();
  for (int layer = 0; layer < 150; ++layer) {
    const Drawn drawn = draw(random, 90, 21);
    // A map of one pixel makes a fully connected layer.
    const Shape& src = drawn.graph.shape(0);
    if (src[2] * src[3] == 1) continue;
    SCOPED_TRACE("seed 51, layer " + std::to_string(layer) + ", " + to_string(drawn.graph.shape(0)) + " to " +
                 to_string(drawn.graph.shape(drawn.op)));
    SlabRunner runner(drawn.graph, drawn.inputs);
    omp_set_num_threads(static_cast<int>(pick(random, 1, 3)));
    const Box all = whole(drawn.graph.shape(drawn.op));
    expect_close(runner.run(drawn.op, all, Exactness::fastest, {.family = Family::conv1x1}),
                 runner.expected(drawn.op, all), tolerance);
    ASSERT_EQ(runner.implementation(), "own_1x1");
    const Box slab = random_slab(random, drawn.graph.shape(drawn.op));
    SCOPED_TRACE(to_string(slab));
    const Layout layout{
        .margin = pick(random, 0, 2), .residual_in_place = pick(random, 0, 1) == 0, .family = Family::conv1x1};
    expect_close(runner.run(drawn.op, slab, Exactness::fastest, layout), runner.expected(drawn.op, slab), tolerance);
  }
  omp_set_num_threads(before);
}

TEST(Convolution1x1, LeavesOtherActivationsToTheLibrary) {
  Random random(52);
  Graph graph;
  const OpId src = add_input(graph, {1, 16, 9, 9});
  const WindowAxis axis{.kernel = 1};
  const OpId op = add_op(graph, {src},
                         Conv{.window = {.h = axis, .w = axis},
                              .groups = 1,
                              .weights = add_random_weight(graph, random, {16, 16, 1, 1}),
                              .bias = no_weight,
                              .post_ops = {Activation{.kind = ActivationKind::tanh}}});
  SlabRunner runner(graph, {random_values(random, {1, 16, 9, 9})});
  (void)runner.run(op, whole(graph.shape(op)), Exactness::fastest, {.family = Family::conv1x1});
  EXPECT_NE(runner.implementation(), "own_1x1");
}

}  // namespace
}  // namespace strake::kernels

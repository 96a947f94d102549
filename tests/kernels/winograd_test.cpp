// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <omp.h>

#include "kernels/random_conv.hpp"

namespace strake::kernels {
namespace {

using namespace test;

// Relative to the largest magnitude of a tensor. Tiles of 4x4 multiply rounding errors by sums of factors up to 8 in
// each direction: up to 1.2e-5 of the largest sum, measured; 4e-5 leaves room for every seed, and the limit that users
// are promised is 1e-4.
constexpr float tolerance = 4e-5F;

// Activations shrink sums, and a slab may hold small ones only: at least three deviations of a sum of 9 `ic` products
// of numbers in [-1, 1] count as the largest.
void expect_close_to_largest(const Values& actual, const Values& expected, Index ic) {
  ASSERT_EQ(actual.size(), expected.size());
  float largest = 3 * std::sqrt(static_cast<float>(ic));
  for (const float value : expected) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < actual.size(); ++i)
    ASSERT_TRUE(std::abs(actual[i] - expected[i]) <= tolerance * largest)
        << "cell " << i << ": " << actual[i] << " != " << expected[i] << ", largest " << largest;
}

struct Drawn {
  Graph graph;
  OpId op = 0;
  std::vector<Values> inputs;
};

// A 3x3 convolution of stride 1 with any padding, channels that leave tails, and any post-ops.
Drawn draw(Random& random, Index most_channels) {
  Drawn drawn;
  const auto axis = [&] {
    return WindowAxis{.kernel = 3, .pad_begin = pick(random, 0, 2), .pad_end = pick(random, 0, 2)};
  };
  const Shape shape = {pick(random, 1, 2), pick(random, 1, most_channels), pick(random, 3, 19), pick(random, 3, 19)};
  const Index oc = pick(random, 1, most_channels);
  Conv conv{.window = {.h = axis(), .w = axis()},
            .groups = 1,
            .weights = add_random_weight(drawn.graph, random, {oc, shape[1], 3, 3}),
            .bias = pick(random, 0, 1) == 0 ? no_weight : add_random_weight(drawn.graph, random, {oc}),
            .post_ops = {}};
  std::vector<OpId> sources = {add_input(drawn.graph, shape)};
  drawn.inputs.push_back(random_values(random, shape));
  if (pick(random, 0, 2) == 0) {
    const Shape dst = {shape[0], oc, output_size(conv.window.h, shape[2], Rounding::floor),
                       output_size(conv.window.w, shape[3], Rounding::floor)};
    sources.push_back(add_input(drawn.graph, dst));
    drawn.inputs.push_back(random_values(random, dst));
  }
  conv.post_ops = random_post_ops(random, sources.size() > 1);
  drawn.op = add_op(drawn.graph, sources, std::move(conv));
  return drawn;
}

TEST(Winograd, AgreesWithTheReferenceOnRandomSlabs) {
  Random random(31);
  const int before = omp_get_max_threads();
  for (int layer = 0; layer < 60; ++layer) {
    const Drawn drawn = draw(random, 70);
    SCOPED_TRACE("seed 31, layer " + std::to_string(layer) + ", " + to_string(drawn.graph.shape(drawn.op)));
    const Index ic = drawn.graph.shape(0)[1];
    SlabRunner runner(drawn.graph, drawn.inputs);
    for (const Family family : {Family::winograd2, Family::winograd4}) {
      omp_set_num_threads(static_cast<int>(pick(random, 1, 3)));
      const Box all = whole(drawn.graph.shape(drawn.op));
      expect_close_to_largest(runner.run(drawn.op, all, Exactness::fastest, {.family = family}),
                              runner.expected(drawn.op, all), ic);
      ASSERT_TRUE(runner.implementation().starts_with("own_winograd")) << runner.implementation();
      const Box slab = random_slab(random, drawn.graph.shape(drawn.op));
      SCOPED_TRACE(to_string(slab));
      const Layout layout{.margin = pick(random, 0, 2), .residual_in_place = pick(random, 0, 1) == 0, .family = family};
      expect_close_to_largest(runner.run(drawn.op, slab, Exactness::fastest, layout), runner.expected(drawn.op, slab),
                              ic);
    }
  }
  omp_set_num_threads(before);
}

// Maps of many chunks, shared by threads (large weights) and a chunk per thread (small ones).
TEST(Winograd, ComputesMapsOfManyChunks) {
  const int before = omp_get_max_threads();
  for (const Index channels : {Index{24}, Index{128}}) {
    Random random(32);
    Graph graph;
    const WindowAxis padded{.kernel = 3, .pad_begin = 1, .pad_end = 1};
    const Shape shape = {1, channels, channels == 24 ? 110 : 21, 45};
    const OpId src = add_input(graph, shape);
    const OpId op = add_op(graph, {src},
                           Conv{.window = {.h = padded, .w = padded},
                                .groups = 1,
                                .weights = add_random_weight(graph, random, {channels, channels, 3, 3}),
                                .bias = add_random_weight(graph, random, {channels}),
                                .post_ops = {Activation{.kind = ActivationKind::relu}}});
    SlabRunner runner(graph, {random_values(random, shape)});
    const Box all = whole(graph.shape(op));
    const Values expected = runner.run(op, all, Exactness::fastest);
    for (const int threads : {1, 2, 3}) {
      omp_set_num_threads(threads);
      SCOPED_TRACE(std::to_string(channels) + " channels, " + std::to_string(threads) + " threads");
      expect_close_to_largest(runner.run(op, all, Exactness::fastest, {.family = Family::winograd4}), expected,
                              channels);
    }
    omp_set_num_threads(before);
  }
}

TEST(Winograd, LeavesWhatItCannotComputeToDirectKernels) {
  Random random(33);
  Graph graph;
  const WindowAxis strided{.kernel = 3, .stride = 2, .pad_begin = 1, .pad_end = 1};
  const OpId src = add_input(graph, {1, 16, 9, 9});
  const OpId op = add_op(graph, {src},
                         Conv{.window = {.h = strided, .w = strided},
                              .groups = 1,
                              .weights = add_random_weight(graph, random, {16, 16, 3, 3}),
                              .bias = no_weight,
                              .post_ops = {}});
  SlabRunner runner(graph, {random_values(random, {1, 16, 9, 9})});
  (void)runner.run(op, whole(graph.shape(op)), Exactness::fastest, {.family = Family::winograd4});
  EXPECT_EQ(runner.implementation().find("winograd"), std::string::npos) << runner.implementation();
}

TEST(Winograd, IsNeverExact) {
  Random random(34);
  const Drawn drawn = draw(random, 32);
  SlabRunner runner(drawn.graph, drawn.inputs);
  const Box all = whole(drawn.graph.shape(drawn.op));
  (void)runner.run(drawn.op, all, Exactness::exact, {.family = Family::winograd4});
  EXPECT_EQ(runner.implementation().find("winograd"), std::string::npos) << runner.implementation();
}

}  // namespace
}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <omp.h>

#include "core/number_types.hpp"
#include "kernels/slab_runner.hpp"

namespace strake::kernels {
namespace {

using namespace test;

// Up to 2,000 products of size 1 in 32 lanes.
constexpr float tolerance = 1e-4F;

struct Layer {
  Graph graph;
  OpId op = 0;
  Values input;
};

Layer make(Shape src, Index outputs) {
  Random random(31);
  Layer layer;
  const OpId map = add_input(layer.graph, src);
  layer.op = add_op(layer.graph, {map},
                    Conv{.window = {.h = {.kernel = src[2]}, .w = {.kernel = src[3]}},
                         .groups = 1,
                         .weights = add_random_weight(layer.graph, random, {outputs, src[1], src[2], src[3]}),
                         .bias = add_random_weight(layer.graph, random, {outputs}),
                         .post_ops = {Activation{.kind = ActivationKind::relu}}});
  layer.input = random_values(random, src);
  return layer;
}

TEST(FullyConnected, AgreesWithTheReference) {
  for (const Shape& src : {Shape{1, 37, 5, 7}, Shape{3, 16, 1, 1}, Shape{2, 64, 5, 6}, Shape{1, 1, 3, 3},
                           Shape{2, 9, 4, 7}, Shape{1, 256, 1, 1}}) {
    const Layer layer = make(src, 85);
    SlabRunner runner(layer.graph, {layer.input});
    const Box all = whole(layer.graph.shape(layer.op));
    expect_close(runner.run(layer.op, all, Exactness::fastest), runner.expected(layer.op, all), tolerance);
    EXPECT_EQ(runner.implementation(), "own_fully_connected");
  }
}

// One layer has few inputs, the other many.
TEST(FullyConnected, HasTheSameBitsForEveryCutAndNumberOfThreads) {
  Random random(32);
  const int before = omp_get_max_threads();
  for (const Layer& layer : {make({2, 19, 5, 7}, 61), make({2, 10, 3, 3}, 150)}) {
    SlabRunner runner(layer.graph, {layer.input});
    const Box all = whole(layer.graph.shape(layer.op));
    omp_set_num_threads(1);
    const Values alone = runner.run(layer.op, all, Exactness::exact);
    for (int round = 0; round < 30; ++round) {
      omp_set_num_threads(static_cast<int>(pick(random, 1, 3)));
      const Box box = strake::test::random_full_box(random, layer.graph.shape(layer.op));
      const Values part = runner.run(layer.op, box, Exactness::exact, {.margin = pick(random, 0, 3)});
      EXPECT_EQ(differing_bits(part, part_of(alone, all, box)), 0U) << to_string(box);
    }
  }
  omp_set_num_threads(before);
}

// The reference of a graph whose weights were rounded beforehand: bfloat16 changes the weights and nothing else.
TEST(FullyConnected, RoundsItsWeightsToBfloat16AndNothingElse) {
  Layer layer = make({2, 37, 5, 7}, 23);
  Graph rounded = layer.graph;
  Weight& weight = rounded.weight(as<Conv>(rounded.op(layer.op))->weights);
  weight.values = Blob::copy_of(weight.values.floats());
  for (float& value : weight.values.floats()) value = static_cast<float>(BFloat(value));
  SlabRunner exactly(rounded, {layer.input});
  SlabRunner narrow(layer.graph, {layer.input}, WeightStorage::bf16);
  const Box all = whole(layer.graph.shape(layer.op));
  EXPECT_EQ(narrow.run(layer.op, all, Exactness::fastest), exactly.run(layer.op, all, Exactness::fastest));
  EXPECT_EQ(narrow.implementation(), "own_fully_connected:bf16");
  const Box some = {{{0, 2}, {7, 18}, {0, 1}, {0, 1}}};
  EXPECT_EQ(narrow.run(layer.op, some, Exactness::fastest),
            part_of(exactly.run(layer.op, all, Exactness::fastest), all, some));
}

TEST(FullyConnected, KeepsOnlyTheRowsOfItsChannelsInBfloat16) {
  const Layer layer = make({1, 16, 3, 3}, 20);
  Graph graph = layer.graph;
  WeightStore weights(graph, WeightStorage::bf16);
  Workspace workspace;
  Blob src = Blob::copy_of(layer.input);
  Blob dst = Blob::copy_of(Values(5));
  const Request request{.graph = graph,
                        .op = layer.op,
                        .src = {dense_view(whole({1, 16, 3, 3}), ElementType::f32, src.data())},
                        .dst = dense_view({{{0, 1}, {10, 15}, {0, 1}, {0, 1}}}, ElementType::f32, dst.data())};
  const auto kernel = prepare(request, weights, workspace);
  weights.release(graph.op(layer.op));
  EXPECT_EQ(weights.size_bytes(), 5U * 16 * 9 * 2);
}

TEST(FullyConnected, TurnsItsWeightsWithoutASecondCopy) {
  const Layer layer = make({1, 40, 7, 7}, 30);
  Graph graph = layer.graph;
  const Conv& conv = *as<Conv>(graph.op(layer.op));
  // Nobody but the store may hold the values.
  graph.weight(conv.weights).values = Blob::copy_of(layer.graph.weight(conv.weights).values.floats());
  const float* original = graph.weight(conv.weights).values.floats().data();
  WeightStore weights(graph);
  Workspace workspace;
  Blob src = Blob::copy_of(layer.input);
  Blob dst = Blob::copy_of(Values(30));
  const Request request{.graph = graph,
                        .op = layer.op,
                        .src = {dense_view(whole({1, 40, 7, 7}), ElementType::f32, src.data())},
                        .dst = dense_view(whole({1, 30, 1, 1}), ElementType::f32, dst.data())};
  const auto kernel = prepare(request, weights, workspace);
  const std::shared_ptr<Blob> rows = weights.prepared(conv.weights, "rows");
  ASSERT_NE(rows, nullptr);
  EXPECT_EQ(rows->floats().data(), original);
  // Row 0: channel 3 at pixel 2 has moved from (c, p) to (p, c).
  EXPECT_EQ(rows->floats()[2 * 40 + 3], layer.graph.weight(conv.weights).values.floats()[3 * 49 + 2]);
}

}  // namespace
}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#include "kernels/weight_store.hpp"

#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "kernels/slab_runner.hpp"

namespace strake::kernels {
namespace {

using namespace test;

// Two pointwise convolutions that share one weight; the second has a bias of its own.
Graph shared_weights() {
  Random random(41);
  Graph graph;
  OpId last = add_input(graph, {1, 4, 3, 3});
  const WeightId weights = add_random_weight(graph, random, {4, 4, 1, 1});
  const WeightId bias = add_random_weight(graph, random, {4});
  last = add_op(graph, {last}, Conv{.window = {}, .groups = 1, .weights = weights, .bias = no_weight, .post_ops = {}});
  add_op(graph, {last}, Conv{.window = {}, .groups = 1, .weights = weights, .bias = bias, .post_ops = {}});
  return graph;
}

TEST(WeightStore, TakesTheValuesOverFromTheGraph) {
  Graph graph = shared_weights();
  const float first = graph.weight(0).values.floats()[0];
  WeightStore store(graph);
  EXPECT_TRUE(graph.weight(0).values.empty());
  EXPECT_EQ(store.original(0).floats()[0], first);
  EXPECT_EQ(store.size_bytes(), (16 + 4) * sizeof(float));
}

TEST(WeightStore, FreesAnOriginalWithItsLastOperator) {
  Graph graph = shared_weights();
  WeightStore store(graph);
  store.release(graph.op(1));
  EXPECT_FALSE(store.original(0).empty());
  store.release(graph.op(2));
  EXPECT_THROW((void)store.original(0), Bug);
  EXPECT_THROW((void)store.original(1), Bug);
  EXPECT_EQ(store.size_bytes(), 0U);
}

TEST(WeightStore, GivesACopyToChangeWhereAnotherOperatorUsesTheWeight) {
  Graph graph = shared_weights();
  WeightStore store(graph);
  Blob taken = store.take(0);
  const float first = taken.floats()[0];
  taken.floats()[0] = first + 1;
  EXPECT_EQ(store.original(0).floats()[0], first);
  const float* bias = store.original(1).floats().data();
  EXPECT_EQ(store.take(1).floats().data(), bias);
  EXPECT_THROW((void)store.original(1), Bug);
}

TEST(WeightStore, ForgetsAFormWhenNoKernelUsesItAnyMore) {
  Graph graph = shared_weights();
  WeightStore store(graph);
  auto form = std::make_shared<Blob>(Blob::allocate(64));
  store.keep(0, "form", form);
  EXPECT_EQ(store.prepared(0, "form"), form);
  EXPECT_EQ(store.prepared(0, "other"), nullptr);
  EXPECT_EQ(store.prepared(1, "form"), nullptr);
  EXPECT_EQ(store.size_bytes(), (16 + 4) * sizeof(float) + 64);
  form.reset();
  EXPECT_EQ(store.prepared(0, "form"), nullptr);
}

TEST(WeightStore, HoldsAFormThatTookThePlaceOfTheOriginalUntilItIsReleased) {
  Graph graph = shared_weights();
  WeightStore store(graph);
  store.keep(1, "changed", std::make_shared<Blob>(store.take(1)));
  EXPECT_NE(store.prepared(1, "changed"), nullptr);
  store.release(graph.op(2));
  EXPECT_EQ(store.prepared(1, "changed"), nullptr);
}

TEST(WeightStore, MakesValuesUpWhereNoneWereSent) {
  const Graph graph = shared_weights();
  WeightStore store = WeightStore::synthetic(graph);
  const Blob values = store.original(0);
  ASSERT_EQ(values.floats().size(), 16U);
  EXPECT_NE(values.floats()[0], values.floats()[1]);
}

TEST(WeightStore, LetsSlabsOfOneConvolutionShareTheirForm) {
  Random random(42);
  Graph graph;
  const OpId src = add_input(graph, {1, 32, 16, 16});
  const WindowAxis window{.kernel = 3, .stride = 1, .dilation = 1, .pad_begin = 1, .pad_end = 1};
  const WeightId weights = add_random_weight(graph, random, {32, 32, 3, 3});
  const OpId conv = add_op(
      graph, {src},
      Conv{.window = {.h = window, .w = window}, .groups = 1, .weights = weights, .bias = no_weight, .post_ops = {}});
  Graph copy = graph;
  WeightStore store(copy);
  Workspace workspace;
  Blob map = Blob::copy_of(Values(32 * 16 * 16));
  Blob dst = Blob::copy_of(Values(32 * 16 * 16));
  const View whole_src = dense_view(whole({1, 32, 16, 16}), ElementType::f32, map.data());
  const View whole_dst = dense_view(whole({1, 32, 16, 16}), ElementType::f32, dst.data());
  std::vector<std::unique_ptr<Kernel>> kernels;
  std::size_t after_first = 0;
  for (const Interval rows : {Interval{0, 8}, Interval{8, 16}}) {
    const Box box = with_axis(whole({1, 32, 16, 16}), 2, rows);
    kernels.push_back(prepare({.graph = graph,
                               .op = conv,
                               .src = {whole_src.window(input_boxes(graph, conv, box).front())},
                               .dst = whole_dst.window(box),
                               .exactness = Exactness::exact},
                              store, workspace));
    if (after_first == 0) after_first = store.size_bytes();
  }
  EXPECT_EQ(store.size_bytes(), after_first);
  store.release(graph.op(conv));
  EXPECT_LT(store.size_bytes(), after_first);
  EXPECT_GT(store.size_bytes(), 0U);
}

}  // namespace
}  // namespace strake::kernels

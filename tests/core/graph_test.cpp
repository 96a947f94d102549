// SPDX-License-Identifier: Apache-2.0
#include "core/graph.hpp"

#include <gtest/gtest.h>

#include "core/small_graphs.hpp"

namespace strake {
namespace {

using test::add_conv;
using test::add_input;
using test::add_op;
using test::residual_net;
using test::square;

TEST(Graph, ListsConsumersOnceAndAscending) {
  Graph graph;
  const OpId input = add_input(graph, {1, 2, 4, 4});
  const OpId relu = add_op(graph, {input}, Elementwise{});
  const OpId twice = add_op(graph, {relu, relu}, Binary{});
  const OpId sum = add_op(graph, {twice, relu}, Binary{});
  EXPECT_EQ(consumers(graph), (std::vector<std::vector<OpId>>{{relu}, {twice, sum}, {sum}, {}}));
}

TEST(Graph, CountsMultiplyAdds) {
  Graph graph;
  const OpId input = add_input(graph, {1, 6, 8, 8});
  const OpId conv = add_conv(graph, input, 4, square({.kernel = 3, .pad_begin = 1, .pad_end = 1}), 2);
  EXPECT_EQ(multiply_adds(graph, conv), 4 * 64 * 3 * 9);
  EXPECT_EQ(multiply_adds(graph, conv, with_axis(whole({1, 4, 8, 8}), 2, {3, 5})), 4 * 16 * 3 * 9);
  EXPECT_EQ(multiply_adds(graph, conv, nothing(4)), 0);
  const OpId matrix = add_input(graph, {5, 7});
  const OpId product = add_op(graph, {matrix, test::add_constant(graph, {7, 2})}, MatMul{});
  EXPECT_EQ(multiply_adds(graph, product), 5 * 2 * 7);
  EXPECT_EQ(multiply_adds(graph, input), 0);
}

TEST(Graph, CountsParametersThatAreUsedOnce) {
  Graph graph = residual_net();
  const Index before = parameters(graph);
  EXPECT_EQ(before, (4 * 3 * 9 + 4) + (4 * 4 * 9 + 4) + 4 + (10 * 4 + 10));
  graph.add_weight("unused", {1000}, {});
  EXPECT_EQ(parameters(graph), before);
  const auto* first = as<Conv>(graph.op(1));
  add_op(graph, {1}, ScaleShift{.scale = first->bias, .post_ops = {}});
  EXPECT_EQ(parameters(graph), before);
}

TEST(Graph, FingerprintTellsModelsApart) {
  const Graph graph = residual_net();
  const std::string original = fingerprint(graph);
  EXPECT_EQ(original.size(), 16U);
  EXPECT_EQ(original, fingerprint(residual_net()));
  EXPECT_NE(original, fingerprint(residual_net(9)));

  Graph renamed = residual_net();
  renamed.op(1).name = "stem";
  EXPECT_NE(original, fingerprint(renamed));

  Graph other_attribute = residual_net();
  as<ReduceParts>(other_attribute.op(7))->scale = 0.25F;
  EXPECT_NE(original, fingerprint(other_attribute));

  Graph other_values = residual_net();
  const std::vector<float> ones(4, 1.0F);
  other_values.weights.back().values = Blob::copy_of(ones);
  EXPECT_EQ(original, fingerprint(other_values));
}

}  // namespace
}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/rewrite_cases.hpp"

namespace strake::test {
namespace {

constexpr GenericReduceKind all_kinds[] = {
    GenericReduceKind::sum,        GenericReduceKind::mean,       GenericReduceKind::max,
    GenericReduceKind::min,        GenericReduceKind::prod,       GenericReduceKind::l1,
    GenericReduceKind::l2,         GenericReduceKind::log_sum,    GenericReduceKind::log_sum_exp,
    GenericReduceKind::sum_square, GenericReduceKind::mean_square};

bool split_rows(Graph& graph) { return rewrite::split_reductions(graph, SplitAxis::rows); }
bool split_columns(Graph& graph) { return rewrite::split_reductions(graph, SplitAxis::columns); }

// Positive values, so that every kind has a result.
Graph reduced(GenericReduceKind kind, std::vector<int> axes, Shape shape = {2, 3, 4, 5}) {
  Builder build;
  const OpId x = build.elementwise(build.input(std::move(shape)), ActivationKind::sigmoid);
  build.output(build.relu(build.add({x}, Reduce{.kind = kind, .axes = std::move(axes)})));
  return build.graph;
}

TEST(SplitReductions, MakesPartsAlongTheAxisOfTheStrips) {
  for (const GenericReduceKind kind : all_kinds)
    for (const std::vector<int>& axes : std::vector<std::vector<int>>{{1, 2, 3}, {0, 1, 2, 3}, {2, 1}, {0, 2, 3}}) {
      const Graph after = expect_applies(split_rows, reduced(kind, axes));
      ASSERT_EQ(kinds(after), (Kinds{"Input", "Elementwise", "Reduce", "Reduce", "Elementwise"}));
      EXPECT_EQ(as<Reduce>(after.op(3))->axes, std::vector<int>{2});
      EXPECT_EQ(strip_axes(after, SplitAxis::rows)[2], 2);
      expect_leaves(split_rows, after);
    }
}

TEST(SplitReductions, MakesPartsAlongColumns) {
  for (const GenericReduceKind kind : all_kinds) {
    const Graph after = expect_applies(split_columns, reduced(kind, {2, 3}));
    EXPECT_EQ(as<Reduce>(after.op(2))->axes, std::vector<int>{2});
    EXPECT_EQ(as<Reduce>(after.op(3))->axes, std::vector<int>{3});
  }
}

TEST(SplitReductions, TakesAPoolOverTheWholeMap) {
  for (const PoolKind kind : {PoolKind::average, PoolKind::max}) {
    Builder build;
    const OpId x = build.relu(build.input({2, 3, 4, 5}));
    const Pool pool{.kind = kind, .window = {{.kernel = 4}, {.kernel = 5}}};
    build.output(build.add({x}, pool));
    EXPECT_EQ(kinds(expect_applies(split_columns, build.graph)), (Kinds{"Input", "Elementwise", "Reduce", "Reduce"}));
    expect_leaves(split_rows, build.graph);
  }
}

TEST(SplitReductions, CarriesTheCentreToThePartialResults) {
  Builder build;
  const OpId x = build.relu(build.input({2, 3, 4, 5}));
  const OpId mean = build.add({x}, Reduce{.kind = GenericReduceKind::mean, .axes = {0, 2, 3}});
  build.output(build.add({x, mean}, Reduce{.kind = GenericReduceKind::mean_square, .axes = {0, 2, 3}}));
  const Graph after = expect_applies(split_rows, build.graph);
  EXPECT_EQ(kinds(after), (Kinds{"Input", "Elementwise", "Reduce", "Reduce", "Reduce", "Reduce"}));
  EXPECT_EQ(after.op(4).inputs.size(), 2U);
  EXPECT_EQ(after.op(5).inputs, std::vector<OpId>{4});
}

TEST(SplitReductions, ReadsStripsOfAnInputAtOnce) {
  Builder build;
  build.output(build.add({build.input({3, 4, 5})}, Reduce{.kind = GenericReduceKind::sum, .axes = {0, 1, 2}}));
  const Graph after = expect_applies(split_rows, build.graph);
  EXPECT_EQ(strip_axes(after, SplitAxis::rows), (std::vector<int>{-1, 1, -1}));
}

TEST(SplitReductions, LeavesWhatIsLocalOrLoweredToRows) {
  expect_leaves(split_rows, reduced(GenericReduceKind::sum, {1, 3}));
  expect_leaves(split_rows, reduced(GenericReduceKind::sum, {2}));
  expect_leaves(split_rows, reduced(GenericReduceKind::mean, {2, 3}));
  expect_leaves(split_rows, reduced(GenericReduceKind::mean, {2, 3}, {2, 3, 1, 5}));
  expect_leaves(split_rows, reduced(GenericReduceKind::min, {0, 2}, {1, 3, 4, 5}));
}

TEST(SplitReductions, LeavesMeansOfIntegers) {
  Graph graph;
  const OpId input =
      graph.add({.name = "input", .inputs = {}, .shape = {2, 3, 4}, .type = ElementType::i32, .attributes = Input{}});
  graph.inputs.push_back({.op = input, .name = "input", .type = ElementType::i32});
  const OpId mean = graph.add({.name = "mean",
                               .inputs = {input},
                               .shape = {},
                               .type = ElementType::i32,
                               .attributes = Reduce{.kind = GenericReduceKind::mean, .axes = {0, 1, 2}}});
  graph.outputs.push_back({.op = mean, .name = "mean", .type = ElementType::i32});
  expect_leaves(split_rows, graph);
  as<Reduce>(graph.op(mean))->kind = GenericReduceKind::sum;
  expect_applies(split_rows, graph);
}

}  // namespace
}  // namespace strake::test

// SPDX-License-Identifier: Apache-2.0
#include "partition/strip_model.hpp"

#include <gtest/gtest.h>

#include "partition/random_graph.hpp"

namespace strake::partition {
namespace {

using test::add_conv3;
using test::add_input;
using test::add_op;
using test::add_output;
using test::Random;

CostModel free_costs(const Graph& graph) {
  Random random(1);
  return {graph, test::random_profile(random, graph, 2, SplitAxis::rows)};
}

std::vector<OpId> frontier_ops(const StripModel& model) {
  std::vector<OpId> ops;
  for (const Frontier& frontier : model.frontiers()) ops.push_back(frontier.op);
  return ops;
}

TEST(RowMap, TakesTheHullOfWhatRowsRead) {
  const RowMap map({{}, {0, 2}, {1, 3}, {2, 4}, {}});
  EXPECT_EQ(map.read_by({0, 5}), (Interval{0, 4}));
  EXPECT_EQ(map.read_by({2, 3}), (Interval{1, 3}));
  EXPECT_TRUE(map.read_by({0, 1}).empty());
  EXPECT_TRUE(map.read_by({4, 5}).empty());
  EXPECT_TRUE(map.read_by({3, 3}).empty());
}

TEST(RowMap, KnowsRowsInReverse) {
  const RowMap map({{3, 4}, {2, 3}, {1, 2}, {0, 1}});
  EXPECT_EQ(map.read_by({1, 3}), (Interval{1, 3}));
  EXPECT_EQ(map.read_by({0, 2}), (Interval{2, 4}));
}

// Every edge of random networks, every interval: the same rows as core's boxes.
TEST(StripModel, ReadsWhatBoxesRead) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    Random random(seed);
    const Graph graph = test::random_graph(random);
    const CostModel costs = free_costs(graph);
    const StripModel model(costs);
    for (OpId id = 0; id < graph.size(); ++id) {
      const int axis = costs.strip_axis(id);
      if (axis != 2) continue;  // what begins behind a map of one row is cut along another axis
      const auto at = static_cast<std::size_t>(axis);
      const StripOp& op = model.op(id);
      for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        if (model.op(op.inputs[i].src).n_rows == 1) continue;
        for (Index begin = 0; begin < op.n_rows; ++begin)
          for (Index end = begin + 1; end <= op.n_rows; ++end) {
            const Box box = with_axis(whole(graph.shape(id)), at, {begin, end});
            const Box read = input_boxes(graph, id, box)[i];
            EXPECT_EQ(op.inputs[i].rows.read_by({begin, end}), read.empty() ? Interval{} : read[2])
                << "seed " << seed << ", operator " << id << ", rows " << begin << " to " << end;
          }
      }
    }
  }
}

TEST(StripModel, FindsFrontiersOutsideResidualBlocks) {
  Graph graph;
  const OpId input = add_input(graph, {1, 4, 8, 8});
  const OpId stem = add_conv3(graph, input, 4);
  const OpId inner = add_conv3(graph, stem, 4);
  const OpId sum = add_op(graph, {inner, stem}, Binary{.kind = BinaryKind::add, .post_ops = {}});
  const OpId last = add_conv3(graph, sum, 4);
  add_output(graph, last);
  const CostModel costs = free_costs(graph);
  EXPECT_EQ(frontier_ops(StripModel(costs)), (std::vector<OpId>{stem, sum, last}));
}

TEST(StripModel, DividesWhereOneRankStandsBetweenStrips) {
  Graph graph;
  const OpId stem = add_conv3(graph, add_input(graph, {1, 4, 8, 8}), 4);
  const OpId rows = add_op(graph, {stem}, ReduceRows{});
  const OpId sums = add_op(graph, {rows}, ReduceParts{});
  const OpId scaled = add_op(graph, {stem, sums}, Binary{.kind = BinaryKind::mul, .post_ops = {}});
  add_output(graph, scaled);
  const CostModel costs = free_costs(graph);
  const StripModel model(costs);
  EXPECT_EQ(model.op(sums).kind, StripKind::whole);
  EXPECT_EQ(model.op(rows).kind, StripKind::cut);
  ASSERT_EQ(model.frontiers().size(), 3U);
  EXPECT_FALSE(model.frontiers()[0].divides);
  EXPECT_EQ(model.frontiers()[1].op, rows);
  EXPECT_TRUE(model.frontiers()[1].divides);
}

TEST(StripModel, KeepsConnectedOperatorsThatCannotBeCutTogether) {
  Graph graph;
  const OpId stem = add_conv3(graph, add_input(graph, {1, 4, 8, 8}), 4);
  const OpId left = add_op(graph, {stem}, Reshape{}, {1, 256});
  const OpId right = add_op(graph, {stem}, Reshape{}, {1, 256});
  const OpId both = add_op(graph, {left, right}, Concat{.axis = 1});
  const OpId alone = add_op(graph, {stem}, Reshape{}, {256});
  add_output(graph, both);
  add_output(graph, alone);
  const CostModel costs = free_costs(graph);
  const StripModel model(costs);
  EXPECT_EQ(model.op(left).group, model.op(both).group);
  EXPECT_EQ(model.op(right).group, model.op(both).group);
  EXPECT_NE(model.op(alone).group, model.op(both).group);
  EXPECT_EQ(model.op(stem).group, -1);
}

TEST(StripModel, CountsRowsOfInputsAsTheirReadersDo) {
  Graph graph;
  const OpId input = add_input(graph, {1, 3, 9, 5});
  add_output(graph, add_conv3(graph, input, 4));
  const CostModel costs = free_costs(graph);
  const StripModel model(costs);
  EXPECT_EQ(model.op(input).n_rows, 9);
  EXPECT_DOUBLE_EQ(model.op(input).row_bytes, 3 * 5 * 4);
}

}  // namespace
}  // namespace strake::partition

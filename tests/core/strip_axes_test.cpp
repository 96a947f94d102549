// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/interval_map.hpp"
#include "core/small_graphs.hpp"

namespace strake {
namespace {

using test::add_constant;
using test::add_conv3;
using test::add_input;
using test::add_op;
using test::residual_net;

int strip_axis(const Graph& graph, OpId id, SplitAxis axis) {
  return strip_axes(graph, axis)[static_cast<std::size_t>(id)];
}

TEST(StripAxes, RunAlongRowsOrColumnsUntilTheSum) {
  const Graph graph = residual_net();
  //                                 in  conv conv const mul pool rows sum conv
  const std::vector<int> along_rows = {-1, 2, 2, -1, 2, 2, 2, -1, -1};
  const std::vector<int> along_columns = {-1, 3, 3, -1, 3, 3, -1, -1, -1};
  EXPECT_EQ(strip_axes(graph, SplitAxis::rows), along_rows);
  EXPECT_EQ(strip_axes(graph, SplitAxis::columns), along_columns);
}

TEST(StripAxes, FollowAPictureWhoseChannelsComeLast) {
  Graph graph;
  const OpId input = add_input(graph, {1, 20, 30, 3});
  const OpId centred =
      add_op(graph, {input, add_constant(graph, {3})}, Binary{.kind = BinaryKind::sub, .post_ops = {}});
  const OpId ours = add_op(graph, {centred}, Transpose{.axes = {0, 3, 1, 2}});
  const OpId conv = add_conv3(graph, ours, 4);
  const OpId back = add_op(graph, {conv}, Transpose{.axes = {0, 2, 3, 1}});
  EXPECT_EQ(strip_axes(graph, SplitAxis::rows), (std::vector<int>{-1, -1, 1, 2, 2, 1}));
  EXPECT_EQ(strip_axes(graph, SplitAxis::columns), (std::vector<int>{-1, -1, 2, 3, 3, 2}));
  EXPECT_EQ(back, 5);
  EXPECT_EQ(longer_axis(graph), SplitAxis::columns);
}

TEST(StripAxes, StartAtATransposeOfAnInput) {
  Graph graph;
  const OpId ours = add_op(graph, {add_input(graph, {1, 20, 30, 3})}, Transpose{.axes = {0, 3, 1, 2}});
  EXPECT_EQ(strip_axis(graph, ours, SplitAxis::rows), 2);
  EXPECT_EQ(strip_axis(graph, ours, SplitAxis::columns), 3);
  Graph other;
  const OpId theirs = add_op(other, {add_input(other, {1, 3, 20, 30})}, Transpose{.axes = {0, 2, 3, 1}});
  EXPECT_EQ(strip_axis(other, theirs, SplitAxis::rows), 1);
}

TEST(StripAxes, EndAtAReshapeAndBeginAgainAtAConvolution) {
  Graph graph;
  const OpId conv = add_conv3(graph, add_input(graph, {1, 2, 8, 8}), 4);
  const OpId flat = add_op(graph, {conv}, Reshape{}, {1, 16, 4, 4});
  const OpId relu = add_op(graph, {flat}, Elementwise{});
  const OpId again = add_conv3(graph, relu, 4);
  EXPECT_EQ(strip_axis(graph, flat, SplitAxis::rows), -1);
  EXPECT_EQ(strip_axis(graph, relu, SplitAxis::rows), -1);
  EXPECT_EQ(strip_axis(graph, again, SplitAxis::rows), 2);
}

TEST(StripAxes, GoThroughReshapesThatKeepTheAxis) {
  Graph graph;
  const OpId conv = add_conv3(graph, add_input(graph, {1, 2, 8, 6}), 4);
  const OpId groups = add_op(graph, {conv}, Reshape{}, {1, 2, 2, 8, 6});
  const OpId turned = add_op(graph, {groups}, Transpose{.axes = {0, 2, 1, 3, 4}});
  const OpId shuffled = add_op(graph, {turned}, Reshape{}, {1, 4, 8, 6});
  const OpId positions = add_op(graph, {shuffled}, Reshape{}, {1, 4, 48});
  const OpId tokens = add_op(graph, {positions}, Transpose{.axes = {0, 2, 1}});
  const OpId rows = add_op(graph, {tokens}, Reshape{}, {1, 8, 6, 4});
  const std::vector<int> axes = strip_axes(graph, SplitAxis::rows);
  EXPECT_EQ(std::vector<int>(axes.begin() + groups, axes.end()), (std::vector<int>{3, 3, 2, 2, 1, 1}));
  // Columns that are counted through row by row cannot be told apart any more.
  EXPECT_EQ(strip_axis(graph, shuffled, SplitAxis::columns), 3);
  EXPECT_EQ(strip_axis(graph, positions, SplitAxis::columns), -1);
  EXPECT_EQ(rows, graph.size() - 1);
}

TEST(StripAxes, AreLeftOutWhereOneRowIsAllThereIs) {
  Graph graph;
  const OpId conv = test::add_conv(graph, add_input(graph, {1, 2, 1, 40}), 4, {});
  EXPECT_EQ(strip_axis(graph, conv, SplitAxis::rows), -1);
  EXPECT_EQ(strip_axis(graph, conv, SplitAxis::columns), 3);
}

TEST(StripAxes, ComeFromWhicheverOperandIsCut) {
  Graph graph;
  const OpId map = add_conv3(graph, add_input(graph, {1, 2, 8, 8}), 4);
  const OpId gate = add_op(graph, {add_op(graph, {map}, ReduceRows{})}, ReduceParts{});
  const OpId gated = add_op(graph, {gate, map}, Binary{.kind = BinaryKind::mul, .post_ops = {}});
  const OpId both = add_op(graph, {gated, map}, Concat{.axis = 1});
  const OpId sum = add_op(graph, {both}, Reduce{.axes = {2}});
  EXPECT_EQ(strip_axis(graph, gated, SplitAxis::rows), 2);
  EXPECT_EQ(strip_axis(graph, both, SplitAxis::rows), 2);
  EXPECT_EQ(strip_axis(graph, sum, SplitAxis::rows), -1);
  EXPECT_EQ(strip_axis(graph, sum, SplitAxis::columns), 3);
}

TEST(LongerAxis, IsRowsWhenTheyAreEven) {
  EXPECT_EQ(longer_axis(residual_net()), SplitAxis::rows);
  Graph line;
  add_conv3(line, add_input(line, {1, 3, 48, 320}), 4);
  EXPECT_EQ(longer_axis(line), SplitAxis::columns);
  Graph flat;
  add_input(flat, {5, 7});
  EXPECT_EQ(longer_axis(flat), SplitAxis::rows);
}

}  // namespace
}  // namespace strake

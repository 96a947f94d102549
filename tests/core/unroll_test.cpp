// SPDX-License-Identifier: Apache-2.0
#include "core/unroll.hpp"

#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "core/small_graphs.hpp"

namespace strake {
namespace {

// An input, a constant added to it behind a convolution: out0.
Graph with_constant() {
  Graph graph;
  graph.name = "with constant";
  const OpId input = test::add_input(graph, {1, 2, 4, 4});
  const OpId conv = test::add_conv3(graph, input, 3);
  const OpId constant = test::add_constant(graph, {1, 3, 4, 4});
  test::add_output(graph, test::add_op(graph, {conv, constant}, Binary{}));
  return graph;
}

TEST(Unroll, PutsInputsThenConstantsThenFrameAfterFrame) {
  const Graph graph = with_constant();
  const Plan plan = cycle_plan({single_rank_plan(graph, 2, 0), single_rank_plan(graph, 2, 1)}, "pair");
  const Unrolled unrolled = unroll(graph, plan);
  EXPECT_EQ(unrolled.originals, (std::vector<OpId>{0, 0, 2, 1, 3, 1, 3}));
  EXPECT_EQ(unrolled.frames, (std::vector<int>{0, 1, 0, 0, 0, 1, 1}));
  EXPECT_EQ(unrolled.graph.op(3).inputs, (std::vector<OpId>{0}));
  EXPECT_EQ(unrolled.graph.op(4).inputs, (std::vector<OpId>{3, 2}));
  EXPECT_EQ(unrolled.graph.op(5).inputs, (std::vector<OpId>{1}));
  EXPECT_EQ(unrolled.graph.op(6).inputs, (std::vector<OpId>{5, 2}));
  EXPECT_EQ(unrolled.graph.weights.size(), graph.weights.size());
  EXPECT_EQ(unrolled.plan.frames, 1);
  EXPECT_NO_THROW(check(unrolled.graph, unrolled.plan, 2));
  // Frame 0 on rank 0, frame 1 on rank 1, and both have the constant.
  EXPECT_TRUE(unrolled.plan.boxes(3, 1).empty());
  EXPECT_EQ(unrolled.plan.boxes(5, 1), BoxList{whole({1, 3, 4, 4})});
  for (const int rank : {0, 1}) EXPECT_EQ(unrolled.plan.boxes(2, rank), BoxList{whole({1, 3, 4, 4})});
}

TEST(Unroll, GivesTheFramesTheirPorts) {
  const Graph graph = with_constant();
  const Plan plan = cycle_plan(std::vector<Plan>(3, single_rank_plan(graph, 1, 0)), "three");
  const Unrolled unrolled = unroll(graph, plan);
  for (int frame = 0; frame < 3; ++frame) {
    const auto inputs = ports_of(unrolled.graph.inputs, frame, 3);
    const auto outputs = ports_of(unrolled.graph.outputs, frame, 3);
    ASSERT_EQ(inputs.size(), 1U);
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(inputs.front().op, frame);
    EXPECT_EQ(outputs.front().op, 5 + 2 * frame);
    EXPECT_EQ(outputs.front().name, "out0");
  }
}

TEST(CyclePlan, ComesApartAgain) {
  const Graph graph = with_constant();
  const std::vector<Plan> frames = {single_rank_plan(graph, 3, 2), single_rank_plan(graph, 3, 0)};
  const Plan cycle = cycle_plan(frames, "two");
  EXPECT_EQ(cycle.frames, 2);
  for (int frame = 0; frame < 2; ++frame) {
    EXPECT_EQ(frame_plan(cycle, frame).produces, frames[static_cast<std::size_t>(frame)].produces);
    EXPECT_EQ(frame_plan(cycle, frame).frames, 1);
  }
  EXPECT_EQ(working_ranks(graph, cycle), (std::vector<int>{0, 2}));
}

TEST(CyclePlan, IsCheckedFrameByFrame) {
  const Graph graph = with_constant();
  Plan cycle = cycle_plan(std::vector<Plan>(2, single_rank_plan(graph, 2, 0)), "two");
  EXPECT_NO_THROW(check(graph, cycle, 2));
  cycle.produces[graph.ops.size() + 1][0].clear();  // frame 1's convolution
  try {
    check(graph, cycle, 2);
    FAIL() << "nothing was thrown";
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("frame 1 of the cycle"), std::string::npos) << error.what();
  }
  cycle.frames = 3;
  EXPECT_THROW(check(graph, cycle, 2), InvalidInput);
  cycle.frames = 0;
  EXPECT_THROW(check(graph, cycle, 2), InvalidInput);
}

}  // namespace
}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#include "core/plan.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "core/small_graphs.hpp"

namespace strake {
namespace {

using test::add_conv3;
using test::add_input;
using test::add_op;
using test::add_output;
using test::residual_net;

// Strips of rows as even as they come; what cannot be cut is on rank 0.
Plan strips(const Graph& graph, int n_ranks) {
  Plan plan = empty_plan(graph, n_ranks);
  const std::vector<int> axes = strip_axes(graph, SplitAxis::rows);
  for (OpId id = 0; id < graph.size(); ++id) {
    const Op& op = graph.op(id);
    if (as<Input>(op) != nullptr || as<Constant>(op) != nullptr) continue;
    const int axis = axes[static_cast<std::size_t>(id)];
    if (axis < 0) {
      plan.boxes(id, 0) = {whole(op.shape)};
      continue;
    }
    const auto at = static_cast<std::size_t>(axis);
    for (int rank = 0; rank < n_ranks; ++rank) {
      const Interval rows{op.shape[at] * rank / n_ranks, op.shape[at] * (rank + 1) / n_ranks};
      if (!rows.empty()) plan.boxes(id, rank) = {with_axis(whole(op.shape), at, rows)};
    }
  }
  place_constants(graph, plan);
  return plan;
}

class PlanCheck : public testing::Test {
 protected:
  // The message of `check`, which must begin by saying what it is about, or "" where nothing is wrong.
  std::string error(int n_ranks = 2) const {
    try {
      check(graph_, plan_, n_ranks);
    } catch (const InvalidInput& found) {
      EXPECT_EQ(std::string(found.what()).substr(0, 6), "plan: ");
      return found.what();
    }
    return "";
  }

  bool says(const std::string& text) const { return error().find(text) != std::string::npos; }

  Graph graph_ = residual_net();
  Plan plan_ = strips(graph_, 2);
};

TEST_F(PlanCheck, AcceptsStripsAndSingleRanks) {
  EXPECT_EQ(error(), "");
  for (int n_ranks = 1; n_ranks <= 12; ++n_ranks) {
    plan_ = strips(graph_, n_ranks);
    EXPECT_EQ(error(n_ranks), "");
    plan_ = single_rank_plan(graph_, n_ranks, n_ranks - 1);
    EXPECT_EQ(error(n_ranks), "");
  }
}

TEST_F(PlanCheck, AcceptsOverlapBetweenRanks) {
  plan_.boxes(1, 0) = {with_axis(whole(graph_.shape(1)), 2, {0, 6})};
  plan_.boxes(1, 1) = {whole(graph_.shape(1))};
  EXPECT_EQ(error(), "");
}

TEST_F(PlanCheck, RefusesAnotherModelOrRankCount) {
  EXPECT_NE(error(3).find("made for 2 ranks, but there are 3"), std::string::npos);
  plan_.model = "0123456789abcdef";
  EXPECT_TRUE(says("made for model 0123456789abcdef"));
}

TEST_F(PlanCheck, RefusesTablesOfTheWrongSize) {
  plan_.produces[3].pop_back();
  EXPECT_TRUE(says("expected boxes for 2 ranks, got 1"));
  plan_.produces.pop_back();
  EXPECT_TRUE(says("expected rows for 9 operators, got 8"));
  plan_ = strips(graph_, 2);
  plan_.overlap.clear();
  EXPECT_TRUE(says("got 9 and 0 choices of overlap"));
}

TEST_F(PlanCheck, RefusesBoxesOutsideTheTensor) {
  plan_.boxes(1, 1) = {with_axis(whole(graph_.shape(1)), 2, {4, 9})};
  EXPECT_TRUE(
      says("operator 'op1', rank 1: expected boxes inside [0, 1) x [0, 4) x [0, 8) x [0, 8), got [0, 1) x "
           "[0, 4) x [4, 9) x [0, 8)"));
  plan_.boxes(1, 1) = {Box{{{0, 1}, {0, 4}}}};
  EXPECT_TRUE(says("operator 'op1', rank 1: expected boxes inside"));
  plan_.boxes(1, 1) = {Box{}};
  EXPECT_TRUE(says("operator 'op1', rank 1: expected boxes inside"));
}

TEST_F(PlanCheck, RefusesBoxesOfOneRankThatOverlap) {
  const Box all = whole(graph_.shape(1));
  plan_.boxes(1, 1) = {with_axis(all, 2, {3, 6}), with_axis(all, 2, {5, 8})};
  EXPECT_TRUE(says("operator 'op1', rank 1: expected boxes that do not overlap"));
}

TEST_F(PlanCheck, RefusesAnInteriorOfWhatIsNoStrip) {
  plan_.overlap[1] = Overlap::interior_first;
  EXPECT_EQ(error(), "");
  const std::vector<int> axes = strip_axes(graph_, plan_.axis);
  const auto uncut = std::ranges::find(axes, -1);
  ASSERT_NE(uncut, axes.end());
  plan_.overlap[static_cast<std::size_t>(uncut - axes.begin())] = Overlap::interior_first;
  EXPECT_NE(error().find("expected overlap none, got interior_first"), std::string::npos) << error();
}

TEST_F(PlanCheck, RefusesCutsThatNoKernelCanCompute) {
  Graph graph;
  const OpId conv = add_conv3(graph, add_input(graph, {1, 2, 4, 4}), 4);
  const OpId flat = add_op(graph, {conv}, Reshape{}, {8, 8});
  add_output(graph, flat);
  Plan plan = single_rank_plan(graph, 2, 0);
  plan.boxes(flat, 0) = {{{{0, 8}, {0, 4}}}};
  plan.boxes(flat, 1) = {{{{0, 8}, {4, 8}}}};
  try {
    check(graph, plan, 2);
    FAIL() << "a cut reshape was accepted";
  } catch (const InvalidInput& found) {
    EXPECT_NE(std::string(found.what()).find("operator 'op2', rank 0: Reshape cannot be cut along axis 1"),
              std::string::npos)
        << found.what();
  }
}

TEST_F(PlanCheck, RefusesCellsThatNobodyProduces) {
  plan_.boxes(1, 1).clear();
  EXPECT_TRUE(
      says("operator 'op1', rank 0: needs [0, 1) x [0, 4) x [0, 5) x [0, 8), but no rank produces [0, 1) x "
           "[0, 4) x [4, 5) x [0, 8)"))
      << error();
  plan_ = strips(graph_, 2);
  plan_.boxes(8, 0).clear();
  EXPECT_TRUE(says("operator 'op8', rank 0: needs")) << "an output is missing";
}

TEST_F(PlanCheck, RefusesConstantsThatAReaderHasNot) {
  plan_.boxes(3, 1).clear();
  EXPECT_TRUE(says("operator 'op3', rank 1: needs [0, 4) x [0, 1) x [0, 1), but has not"));
}

TEST_F(PlanCheck, RefusesInputsElsewhereThanOnRankZero) {
  plan_.boxes(0, 1) = {whole(graph_.shape(0))};
  EXPECT_TRUE(says("operator 'op0', rank 1: expected nothing"));
  plan_ = strips(graph_, 2);
  plan_.boxes(0, 0) = {with_axis(whole(graph_.shape(0)), 2, {0, 7})};
  EXPECT_TRUE(says("operator 'op0', rank 0: expected the whole input"));
}

TEST(Plan, EmptyOneHasOnlyTheInputs) {
  const Graph graph = residual_net();
  const Plan plan = empty_plan(graph, 3);
  EXPECT_EQ(plan.model, fingerprint(graph));
  ASSERT_EQ(plan.produces.size(), 9U);
  ASSERT_EQ(plan.overlap.size(), 9U);
  for (OpId id = 0; id < graph.size(); ++id)
    for (int rank = 0; rank < 3; ++rank) EXPECT_EQ(plan.boxes(id, rank).size(), id == 0 && rank == 0 ? 1U : 0U);
}

TEST(Plan, NeedsAreTheUnionOverConsumers) {
  const Graph graph = residual_net();
  const Plan plan = strips(graph, 2);
  const auto rows = [&](OpId id, Index begin, Index end) { return with_axis(whole(graph.shape(id)), 2, {begin, end}); };
  // Read by the next convolution with a halo of one row, and by its residual addition without.
  EXPECT_EQ(needs(graph, plan, 1), (std::vector<BoxList>{{rows(1, 0, 5)}, {rows(1, 3, 8)}}));
  EXPECT_EQ(needs(graph, plan, 6), (std::vector<BoxList>{{whole(graph.shape(6))}, {}}));
  EXPECT_EQ(needs(graph, plan, 8), (std::vector<BoxList>{{whole(graph.shape(8))}, {}})) << "rank 0 needs the output";
  EXPECT_EQ(holds(graph, plan, 1), (std::vector<Box>{rows(1, 0, 5), rows(1, 3, 8)}));
  EXPECT_TRUE(holds(graph, plan, 8)[1].empty());
}

TEST(Plan, NeedsCoverWhatEveryBoxReads) {
  test::Random random(40);
  const Graph graph = residual_net();
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE("seed 40, round " + std::to_string(round));
    Plan plan = empty_plan(graph, 3);
    for (OpId id = 1; id < graph.size(); ++id)
      for (int rank = 0; rank < 3; ++rank)
        for (Index count = test::pick(random, 0, 2); count > 0; --count)
          plan.boxes(id, rank).push_back(test::random_box(random, graph.shape(id)));
    for (OpId id = 0; id + 1 < graph.size(); ++id) {
      const std::vector<BoxList> need = needs(graph, plan, id);
      for (int rank = 0; rank < 3; ++rank) {
        BoxList read;
        for (OpId reader = id + 1; reader < graph.size(); ++reader)
          for (const Box& dst : plan.boxes(reader, rank))
            for (std::size_t i = 0; i < graph.op(reader).inputs.size(); ++i)
              if (graph.op(reader).inputs[i] == id) read.push_back(input_boxes(graph, reader, dst)[i]);
        EXPECT_EQ(test::cells_of(need[static_cast<std::size_t>(rank)]), test::cells_of(read));
      }
    }
  }
}

TEST(Plan, ConstantsStandWhereTheyAreRead) {
  const Graph graph = residual_net();
  const Plan plan = single_rank_plan(graph, 3, 1);
  EXPECT_TRUE(plan.boxes(3, 0).empty());
  EXPECT_EQ(plan.boxes(3, 1), (BoxList{whole({4, 1, 1})}));
}

TEST(Plan, CountsTheWorkOfEachRank) {
  const Graph graph = residual_net();
  double total = 0;
  for (OpId id = 0; id < graph.size(); ++id) total += multiply_adds(graph, id);
  const double last = multiply_adds(graph, 8);
  EXPECT_EQ(multiply_adds(graph, strips(graph, 2)),
            (std::vector<double>{(total - last) / 2 + last, (total - last) / 2}));
  EXPECT_EQ(multiply_adds(graph, single_rank_plan(graph, 2, 1)), (std::vector<double>{0, total}));
}

TEST(Plan, TransfersOfAnOperatorAreItsHalos) {
  const Graph graph = residual_net();
  const Plan plan = strips(graph, 2);
  const auto rows = [&](Index begin, Index end) { return with_axis(whole(graph.shape(1)), 2, {begin, end}); };
  EXPECT_EQ(transfers(graph, plan, 1), (std::vector<Transfer>{{0, 1, rows(3, 4)}, {1, 0, rows(4, 5)}}));
  EXPECT_TRUE(transfers(graph, plan, 3).empty()) << "constants never travel";
}

}  // namespace
}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
// What holds plans back, against cases worked by hand.

#include "partition/verdict.hpp"

#include <gtest/gtest.h>

#include "core/small_graphs.hpp"
#include "partition/planner.hpp"
#include "partition/random_graph.hpp"
#include "partition/timeline.hpp"

namespace strake::partition {
namespace {

// Two convolutions of 12 rows, 120 and 60 us on rank 0; rank 1 is `slowness` times slower.
class VerdictTest : public testing::Test {
 protected:
  void build(double slowness, Link link = {}) {
    graph_ = {};
    OpId last = test::add_input(graph_, {1, 1, 12, 1});
    for (int i = 0; i < 2; ++i) last = test::add_conv(graph_, last, 1, {});
    test::add_output(graph_, last);
    profile_ = {.model = {}, .axis = SplitAxis::rows, .ranks = {}, .links = {}};
    for (const double factor : {1.0, slowness}) {
      const OpCost first{.extents = {12}, .microseconds = {120 * factor}};
      const OpCost second{.extents = {12}, .microseconds = {60 * factor}};
      profile_.ranks.push_back({.host = {}, .ops = {{}, first, second}});
      profile_.links.emplace_back(2, link);
    }
    plan_ = empty_plan(graph_, 2);
    plan_.model = {};
  }

  void cut(OpId id, Index row) {
    plan_.boxes(id, 0) = {with_axis(whole(graph_.shape(id)), 2, {0, row})};
    plan_.boxes(id, 1) = {with_axis(whole(graph_.shape(id)), 2, {row, 12})};
    if (row == 12) plan_.boxes(id, 1).clear();
  }

  Verdict judged() const { return judge(CostModel(graph_, profile_), plan_); }

  Graph graph_;
  Profile profile_;
  Plan plan_;
};

TEST_F(VerdictTest, FindsNothingWrongWithTheIdeal) {
  build(1);
  cut(1, 6);
  cut(2, 6);
  const Verdict verdict = judged();
  EXPECT_EQ(verdict.best_rank, 0);
  EXPECT_DOUBLE_EQ(verdict.best_single_us, 180);
  EXPECT_DOUBLE_EQ(verdict.frame_us, 90);
  EXPECT_DOUBLE_EQ(verdict.ideal_us, 90);
  EXPECT_DOUBLE_EQ(verdict.speedup(), 2);
  EXPECT_EQ(verdict.ranks, (std::vector<int>{0, 1}));
  for (const double us : {verdict.losses.messages_us, verdict.losses.imbalance_us, verdict.losses.unsplit_us,
                          verdict.losses.kernels_us, verdict.losses.left_out_us})
    EXPECT_NEAR(us, 0, 1e-9);
}

// Rank 1 begins 7 us late and its answer takes 7 us more.
TEST_F(VerdictTest, ChargesMessages) {
  build(1, {.latency_us = 7});
  cut(1, 6);
  cut(2, 6);
  const Verdict verdict = judged();
  EXPECT_DOUBLE_EQ(verdict.frame_us, 104);
  EXPECT_DOUBLE_EQ(verdict.losses.messages_us, 14);
  EXPECT_DOUBLE_EQ(verdict.ideal_speedup, 2);
  EXPECT_NEAR(verdict.losses.imbalance_us, 0, 1e-9);
}

// 8 and 4 rows of 120 us: 80 us instead of 60.
TEST_F(VerdictTest, ChargesUnevenShares) {
  build(1);
  cut(1, 8);
  cut(2, 8);
  const Verdict verdict = judged();
  EXPECT_DOUBLE_EQ(verdict.frame_us, 120);
  EXPECT_NEAR(verdict.losses.imbalance_us, 30, 1e-9);
  EXPECT_NEAR(verdict.losses.unsplit_us, 0, 1e-9);
}

// The second convolution takes 60 us on one rank where both would take 30.
TEST_F(VerdictTest, ChargesWhatOneRankDoesAlone) {
  build(1);
  cut(1, 6);
  cut(2, 12);
  const Verdict verdict = judged();
  EXPECT_DOUBLE_EQ(verdict.frame_us, 120);
  EXPECT_NEAR(verdict.losses.unsplit_us, 30, 1e-9);
  EXPECT_NEAR(verdict.losses.imbalance_us, 0, 1e-9);
}

// Half the rows take 70 of 120 us.
TEST_F(VerdictTest, ChargesPartsThatTakeMoreThanTheirShare) {
  build(1);
  for (RankProfile& rank : profile_.ranks) rank.ops[1] = {.extents = {6, 12}, .microseconds = {70, 120}};
  cut(1, 6);
  cut(2, 6);
  const Verdict verdict = judged();
  EXPECT_DOUBLE_EQ(verdict.frame_us, 100);
  EXPECT_NEAR(verdict.losses.kernels_us, 10, 1e-9);
}

// A rank of a third of the speed could have saved a quarter.
TEST_F(VerdictTest, ChargesRanksThatAreLeftOut) {
  build(3);
  cut(1, 12);
  cut(2, 12);
  const Verdict verdict = judged();
  EXPECT_EQ(verdict.ranks, (std::vector<int>{0}));
  EXPECT_DOUBLE_EQ(verdict.frame_us, 180);
  EXPECT_DOUBLE_EQ(verdict.ideal_us, 135);
  EXPECT_DOUBLE_EQ(verdict.ideal_speedup, 4.0 / 3);
  EXPECT_NEAR(verdict.losses.left_out_us, 45, 1e-9);
  EXPECT_NEAR(verdict.losses.unsplit_us, 0, 1e-9);
}

TEST_F(VerdictTest, SaysNothingOfLossesWhereNobodyMeasured) {
  build(1);
  for (RankProfile& rank : profile_.ranks)
    for (OpCost& cost : rank.ops) cost.microseconds.assign(cost.microseconds.size(), 0);
  cut(1, 6);
  cut(2, 6);
  const Verdict verdict = judged();
  EXPECT_EQ(verdict.ideal_us, 0);
  EXPECT_EQ(verdict.losses.imbalance_us, 0);
}

// Losses and the ideal are the frame, whatever the plan.
TEST(Verdict, AddsUp) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    test::Random random(seed);
    const Graph graph = test::random_graph(random);
    const int n_ranks = static_cast<int>(test::pick(random, 1, 4));
    const CostModel costs(graph, test::random_profile(random, graph, n_ranks, SplitAxis::rows));
    for (const std::string strategy : {"auto", "equal", "aofl", "pipeline"}) {
      const Plan plan = make_plan(costs, strategy);
      const Verdict verdict = judge(costs, plan);
      EXPECT_DOUBLE_EQ(verdict.frame_us, plan.predicted_us);
      if (verdict.ideal_us == 0) continue;
      const Losses& losses = verdict.losses;
      EXPECT_NEAR(verdict.ideal_us + losses.messages_us + losses.imbalance_us + losses.unsplit_us + losses.kernels_us +
                      losses.left_out_us,
                  verdict.frame_us, 1e-6 * verdict.frame_us)
          << strategy << ", seed " << seed;
      EXPECT_GE(losses.messages_us, -1e-6);
      EXPECT_GE(losses.left_out_us, -1e-6);
      EXPECT_GE(losses.imbalance_us, 0);
    }
  }
}

}  // namespace
}  // namespace strake::partition

// SPDX-License-Identifier: Apache-2.0
// Strategies of the literature against cases worked by hand.

#include <gtest/gtest.h>

#include "core/small_graphs.hpp"
#include "partition/planner.hpp"

namespace strake::partition {
namespace {

// Convolutions of 12 rows of 4 bytes, one after the other, on ranks that take so long for a row of each.
class Strategies : public testing::Test {
 protected:
  void build(const std::vector<Index>& kernels, const std::vector<double>& us_per_row, Link link = {}) {
    graph_ = {};
    OpId last = test::add_input(graph_, {1, 1, 12, 1});
    for (const Index kernel : kernels) {
      const WindowAxis rows{.kernel = kernel, .pad_begin = kernel / 2, .pad_end = kernel / 2};
      last = test::add_conv(graph_, last, 1, {rows, {}});
    }
    test::add_output(graph_, last);
    profile_ = {.model = {}, .axis = SplitAxis::rows, .ranks = {}, .links = {}};
    for (const double us : us_per_row) {
      RankProfile& rank = profile_.ranks.emplace_back();
      rank.ops.emplace_back();
      for (std::size_t i = 0; i < kernels.size(); ++i) rank.ops.push_back({.extents = {12}, .microseconds = {12 * us}});
      profile_.links.emplace_back(us_per_row.size(), link);
    }
  }

  void set_us(int rank, const std::vector<double>& us) {
    for (std::size_t i = 0; i < us.size(); ++i) profile_.ranks[at(rank)].ops[i + 1].microseconds = {us[i]};
  }

  void plan(const std::string& strategy) { plan_ = make_plan(CostModel(graph_, profile_), strategy); }

  // Of convolution `i`, from 1.
  Interval rows(OpId i, int rank) const {
    const BoxList& boxes = plan_.boxes(i, rank);
    return boxes.empty() ? Interval{} : boxes.front()[2];
  }

  Graph graph_;
  Profile profile_;
  Plan plan_;
};

constexpr Interval nothing{};
constexpr Interval all{0, 12};

TEST_F(Strategies, MoDnnCutsEveryMapInProportion) {
  build({3, 3}, {10, 20});
  plan("modnn");
  for (const OpId conv : {1, 2}) {
    EXPECT_EQ(rows(conv, 0), (Interval{0, 8}));
    EXPECT_EQ(rows(conv, 1), (Interval{8, 12}));
  }
}

// Shares of 7.6, 3.8 and 0.6 rows, in cuts 8, 11 and 12. Behind the first convolution neighbours pull two rows, which
// the last device would not have; behind the second nobody pulls.
TEST_F(Strategies, CoEdgeLeavesOutDevicesWithLessThanAHalo) {
  build({3, 5}, {10, 20, 120});
  plan("coedge");
  EXPECT_EQ(rows(1, 0), (Interval{0, 8}));
  EXPECT_EQ(rows(1, 1), (Interval{8, 12}));
  EXPECT_EQ(rows(1, 2), nothing);
  EXPECT_EQ(rows(2, 1), (Interval{8, 11}));
  EXPECT_EQ(rows(2, 2), (Interval{11, 12}));
}

// Both fused: 7 + 6 rows, 130 us. The first alone: 60, and 120 on the gateway.
TEST_F(Strategies, DeepThingsFusesWhatGoesFaster) {
  build({3, 3}, {10, 10});
  plan("deepthings");
  EXPECT_EQ(rows(1, 0), (Interval{0, 7}));
  EXPECT_EQ(rows(1, 1), (Interval{5, 12}));
  EXPECT_EQ(rows(2, 0), (Interval{0, 6}));
  EXPECT_EQ(rows(2, 1), (Interval{6, 12}));
}

// With 80 us a row: both fused 8 rows there, 130 us and 6 rows back, 1250 us; the first alone 7 rows there, 60 us, 6
// rows back and 120 us, 1220 us.
TEST_F(Strategies, DeepThingsLeavesTheRestToTheGateway) {
  build({3, 3}, {10, 10}, {.latency_us = 0, .us_per_byte = 20});
  plan("deepthings");
  EXPECT_EQ(rows(1, 0), (Interval{0, 6}));
  EXPECT_EQ(rows(1, 1), (Interval{6, 12}));
  EXPECT_EQ(rows(2, 0), all);
  EXPECT_EQ(rows(2, 1), nothing);
  EXPECT_NEAR(plan_.predicted_us, 1220, 1e-6);
}

// Apart, with messages of 5 us: 60 + 5 and 60 + 5 + 5. Fused: 130 + 5 + 5.
TEST_F(Strategies, AoflExchangesOverFastLinks) {
  build({3, 3}, {10, 10}, {.latency_us = 5});
  plan("aofl");
  EXPECT_EQ(rows(1, 0), (Interval{0, 6}));
  EXPECT_EQ(rows(1, 1), (Interval{6, 12}));
}

// Apart, with messages of 20 us: 80 and 100. Fused: 130 + 20 + 20.
TEST_F(Strategies, AoflFusesOverSlowLinks) {
  build({3, 3}, {10, 10}, {.latency_us = 20});
  plan("aofl");
  EXPECT_EQ(rows(1, 0), (Interval{0, 7}));
  EXPECT_EQ(rows(1, 1), (Interval{5, 12}));
  EXPECT_EQ(rows(2, 1), (Interval{6, 12}));
}

// The slower rank has 4 rows of 20 us. Apart, with messages of 5 us: 85 and 90; fused: 5 rows, 100 + 80 + 10.
TEST_F(Strategies, DeepSlicingSynchronisesOverFastLinks) {
  build({3, 3}, {10, 20}, {.latency_us = 5});
  plan("deepslicing");
  EXPECT_EQ(rows(1, 0), (Interval{0, 8}));
  EXPECT_EQ(rows(1, 1), (Interval{8, 12}));
}

// With messages of 30 us: 110 and 140 apart, 240 fused.
TEST_F(Strategies, DeepSlicingRecomputesOverSlowLinks) {
  build({3, 3}, {10, 20}, {.latency_us = 30});
  plan("deepslicing");
  EXPECT_EQ(rows(1, 0), (Interval{0, 9}));
  EXPECT_EQ(rows(1, 1), (Interval{7, 12}));
}

// 100, 50 and 50 us: the first on one rank, the others on the next. The third rank would earn nothing.
TEST_F(Strategies, PipelineEvensOutItsStages) {
  build({3, 3, 3}, {1, 1, 1});
  for (const int rank : {0, 1, 2}) set_us(rank, {100, 50, 50});
  plan("pipeline");
  EXPECT_EQ(rows(1, 0), all);
  EXPECT_EQ(rows(2, 1), all);
  EXPECT_EQ(rows(3, 1), all);
  for (const OpId conv : {1, 2, 3}) EXPECT_EQ(rows(conv, 2), nothing);
}

// A rank that is three times slower gets the last 50 us; four times slower it gets nothing.
TEST_F(Strategies, PipelineKnowsSpeeds) {
  build({3, 3, 3}, {1, 1});
  set_us(0, {100, 50, 50});
  set_us(1, {300, 150, 150});
  plan("pipeline");
  EXPECT_EQ(rows(2, 0), all);
  EXPECT_EQ(rows(3, 1), all);
  set_us(1, {400, 200, 200});
  plan("pipeline");
  EXPECT_EQ(rows(3, 0), all);
}

// 48 bytes at 2 us are more than there is to win.
TEST_F(Strategies, PipelineCountsWhatStagesSend) {
  build({3, 3, 3}, {1, 1}, {.latency_us = 0, .us_per_byte = 2});
  for (const int rank : {0, 1}) set_us(rank, {40, 40, 40});
  plan("pipeline");
  for (const OpId conv : {1, 2, 3}) EXPECT_EQ(rows(conv, 0), all);
}

// A tail that cannot be cut: a device with a strip of the map behind which only the tail stands keeps it.
TEST_F(Strategies, CoEdgeCountsNoHaloForReadersOfEverything) {
  build({3, 3}, {10, 20});
  graph_.outputs.clear();
  test::add_output(graph_, test::add_op(graph_, {2}, Reshape{}, {3, 4}));
  for (RankProfile& rank : profile_.ranks) rank.ops.push_back({.extents = {1}, .microseconds = {1}});
  plan("coedge");
  EXPECT_EQ(rows(2, 0), (Interval{0, 8}));
  EXPECT_EQ(rows(2, 1), (Interval{8, 12}));
}

// 100, 100 and, for what cannot be cut, 150 us: the tail makes a stage of its own.
TEST_F(Strategies, PipelineCountsTheTailWhereItRuns) {
  build({3, 3}, {1, 1});
  for (const int rank : {0, 1}) set_us(rank, {100, 100});
  graph_.outputs.clear();
  test::add_output(graph_, test::add_op(graph_, {2}, Reshape{}, {3, 4}));
  for (RankProfile& rank : profile_.ranks) rank.ops.push_back({.extents = {1}, .microseconds = {150}});
  plan("pipeline");
  EXPECT_EQ(rows(1, 0), all);
  EXPECT_EQ(rows(2, 0), all);
  EXPECT_TRUE(plan_.boxes(3, 0).empty());
  EXPECT_EQ(plan_.boxes(3, 1).size(), 1U);
}

}  // namespace
}  // namespace strake::partition

// SPDX-License-Identifier: Apache-2.0
// The bound against cases worked by hand, and against plans of every kind, none of which may fall below it.

#include "partition/frame_bound.hpp"

#include <gtest/gtest.h>

#include "core/small_graphs.hpp"
#include "partition/needed_cells.hpp"
#include "partition/planner.hpp"
#include "partition/random_graph.hpp"
#include "partition/random_plan.hpp"
#include "partition/timeline.hpp"

namespace strake::partition {
namespace {

// Convolutions of 12 rows of 4 bytes, 120 us and then 60 us on rank 0; each rank so many times slower.
class FrameBound : public testing::Test {
 protected:
  void build(const std::vector<double>& slowness, const Link& link = {}, int n_convs = 1) {
    graph_ = {};
    profile_ = {.model = {}, .axis = SplitAxis::rows, .ranks = {}, .links = {}};
    OpId last = test::add_input(graph_, {1, 1, 12, 1});
    for (int i = 0; i < n_convs; ++i) last = test::add_conv(graph_, last, 1, {});
    test::add_output(graph_, last);
    for (const double factor : slowness) {
      RankProfile rank{.host = {}, .ops = {{}}};
      for (int i = 0; i < n_convs; ++i)
        rank.ops.push_back({.extents = {12}, .microseconds = {(i == 0 ? 120 : 60) * factor}});
      profile_.ranks.push_back(std::move(rank));
      profile_.links.emplace_back(slowness.size(), link);
      profile_.links.back()[profile_.ranks.size() - 1] = {};
    }
  }

  double bound() const { return frame_bound_us(CostModel(graph_, profile_)); }

  Graph graph_;
  Profile profile_;
};

constexpr double rounding = 1e-4;

TEST_F(FrameBound, IsTheWorkOfOneRank) {
  build({1}, {}, 2);
  EXPECT_NEAR(bound(), 180, rounding);
}

TEST_F(FrameBound, IsHalfOfItForTwoEqualRanks) {
  build({1, 1});
  EXPECT_NEAR(bound(), 60, rounding);
}

TEST_F(FrameBound, AddsUpThroughputsOfUnequalRanks) {
  build({1, 3, 3}, {}, 2);
  EXPECT_NEAR(bound(), 180 / (1 + 2.0 / 3), rounding);
}

// Rank 1 is fast with the first operator, rank 0 with the second: each takes its own.
TEST_F(FrameBound, GivesEachRankWhatItIsBestAt) {
  build({1, 1}, {}, 2);
  profile_.ranks[0].ops[1].microseconds = {600};
  profile_.ranks[1].ops[1].microseconds = {100};
  profile_.ranks[0].ops[2].microseconds = {100};
  profile_.ranks[1].ops[2].microseconds = {600};
  EXPECT_NEAR(bound(), 100, rounding);
}

// The other rank begins 7 us late, and its answer takes 7 us more: T + T - 14 = 120.
TEST_F(FrameBound, CountsALatencyThereAndBack) {
  build({1, 1}, {.latency_us = 7});
  EXPECT_NEAR(bound(), 67, rounding);
}

// Rank 2 is reached faster by way of rank 1: three ranks, of which one is 14 and one 28 us late.
TEST_F(FrameBound, TakesTheShortestWay) {
  build({1, 1, 1}, {.latency_us = 7});
  profile_.links[0][2] = profile_.links[2][0] = {.latency_us = 1000};
  EXPECT_NEAR(bound(), (120 + 14 + 28) / 3.0, rounding);
}

TEST_F(FrameBound, LeavesOutRanksThatAreTooFarAway) {
  build({1, 1, 1}, {.latency_us = 7});
  for (const std::size_t other : {0U, 1U}) profile_.links[2][other] = profile_.links[other][2] = {.latency_us = 500};
  EXPECT_NEAR(bound(), 67, rounding);
}

// A part x of the 48 bytes takes 240 x to get there; rank 0 computes 120 (1 - x) meanwhile: x = 1/3.
TEST_F(FrameBound, CountsBytesOnTheLink) {
  build({1, 1}, {.latency_us = 0, .us_per_byte = 5});
  EXPECT_NEAR(bound(), 80, rounding);
}

// The same on three hosts: two links, but one port out of which both parts leave. 120 (1 - 2 x) = 480 x.
TEST_F(FrameBound, CountsBytesAtThePort) {
  build({1, 1, 1}, {.latency_us = 0, .us_per_byte = 5});
  for (std::size_t rank = 0; rank < 3; ++rank) profile_.ranks[rank].host = std::to_string(rank);
  EXPECT_NEAR(bound(), 80, rounding);
}

// A link of half the speed of the port leaves it to the others. 120 (1 - x) = 480 x / (2 + 1).
TEST_F(FrameBound, AddsSlowLinksToThePort) {
  build({1, 1, 1}, {.latency_us = 0, .us_per_byte = 5});
  for (std::size_t rank = 0; rank < 3; ++rank) profile_.ranks[rank].host = std::to_string(rank);
  profile_.links[0][2].us_per_byte = 10;
  profile_.links[1][0].us_per_byte = profile_.links[2][0].us_per_byte = 1;
  EXPECT_NEAR(bound(), 120 / (1 + 0.75), rounding);
}

// On a shared medium answers are in the way as well. 120 (1 - 2 x) = 960 x.
TEST_F(FrameBound, CountsBytesOnASharedMedium) {
  build({1, 1, 1}, {.latency_us = 0, .us_per_byte = 5});
  for (std::size_t rank = 0; rank < 3; ++rank) profile_.ranks[rank].host = std::to_string(rank);
  profile_.medium = Medium::shared;
  EXPECT_NEAR(bound(), 96, rounding);
}

// Copying a row takes rank 0 longer than computing it.
TEST_F(FrameBound, CountsCopyingAtTheSender) {
  build({1, 1}, {.latency_us = 0, .us_per_byte = 5, .overhead_us = 0, .overhead_us_per_byte = 5});
  EXPECT_NEAR(bound(), 120, rounding);
}

// One message at least leaves rank 0: 10 us of its time.
TEST_F(FrameBound, CountsOneOverhead) {
  build({1, 1}, {.latency_us = 0, .us_per_byte = 0, .overhead_us = 10});
  EXPECT_NEAR(bound(), 65, rounding);
}

// Answers of rank 1 are in its way before it can go on: 120 x + 60 x = 120 (1 - x).
TEST_F(FrameBound, CountsAnswers) {
  build({1, 1});
  profile_.links[1][0] = {.latency_us = 0, .us_per_byte = 1.25, .overhead_us = 0, .overhead_us_per_byte = 2};
  EXPECT_NEAR(bound(), 72, rounding);
}

// Half the rows take a third of the time: two halves 80 us, two ranks 40.
TEST_F(FrameBound, TakesTheCheapestPart) {
  build({1, 1});
  for (RankProfile& rank : profile_.ranks) rank.ops[1] = {.extents = {6, 12}, .microseconds = {40, 120}};
  EXPECT_NEAR(bound(), 40, rounding);
}

TEST_F(FrameBound, KnowsTheLiveFactor) {
  build({1, 1});
  CostModel costs(graph_, profile_);
  costs.set_factor(1, 3);
  EXPECT_NEAR(frame_bound_us(costs), 90, rounding);
}

TEST_F(FrameBound, LeavesOutWhatNobodyReads) {
  build({1});
  test::add_conv(graph_, 0, 1, {});
  profile_.ranks[0].ops.push_back({.extents = {12}, .microseconds = {1000}});
  EXPECT_NEAR(bound(), 120, rounding);
}

// Of 12 rows every other one is read: a plan may leave out the others.
TEST(NeededCells, LeaveOutRowsBetweenStrides) {
  Graph graph;
  const OpId first = test::add_conv(graph, test::add_input(graph, {1, 1, 12, 1}), 1, {});
  test::add_output(graph, test::add_conv(graph, first, 1, {.h = {.stride = 2}, .w = {}}));
  const NeededCells cells = needed_cells(graph);
  EXPECT_LE(cells.share[1], 0.5);
  EXPECT_EQ(cells.share[2], 1);
}

// Two of six rows are zeros, whatever the input.
TEST(NeededCells, LeaveOutPadding) {
  Graph graph;
  const OpId input = test::add_input(graph, {1, 1, 4, 1});
  const OpId padded = test::add_op(graph, {input}, Pad{.begin = {0, 0, 1, 0}}, {1, 1, 6, 1});
  test::add_output(graph, test::add_op(graph, {padded}, Elementwise{.function = {}}));
  const NeededCells cells = needed_cells(graph);
  EXPECT_DOUBLE_EQ(cells.share[1], 4.0 / 6);
  EXPECT_DOUBLE_EQ(cells.share[2], 4.0 / 6);
}

TEST(NeededCells, JoinWhatTwoReadersTake) {
  Graph graph;
  const OpId first = test::add_conv(graph, test::add_input(graph, {1, 1, 8, 1}), 6, {});
  const auto slice = [&](Index begin) {
    return test::add_op(graph, {first}, Slice{.begin = {0, begin, 0, 0}, .step = {1, 1, 1, 1}}, {1, 3, 8, 1});
  };
  const OpId low = slice(0);
  const OpId high = slice(3);
  test::add_output(graph, test::add_op(graph, {high, low}, Concat{.axis = 1}));
  const NeededCells cells = needed_cells(graph);
  for (const double share : cells.share) EXPECT_EQ(share, 1);
}

// A convolution reads of its input what it computes of its output, and a flattened map is all its cells.
TEST(NeededCells, KnowEdgesThatCarryEverything) {
  Graph graph;
  const OpId input = test::add_input(graph, {1, 3, 8, 8});
  const OpId conv = test::add_conv3(graph, input, 4);
  const OpId flat = test::add_op(graph, {conv}, Reshape{}, {1, 256});
  test::add_output(graph, flat);
  const NeededCells cells = needed_cells(graph);
  ASSERT_EQ(cells.edges.size(), 2U);
  EXPECT_EQ(cells.edges[0].reader, conv);
  EXPECT_EQ(cells.edges[1].reader, flat);
}

// Channels measured too, and jitter; on hosts of their own or not, and on a shared medium or not.
Profile random_costs(test::Random& random, const Graph& graph, int n_ranks, SplitAxis axis) {
  Profile profile = test::random_profile(random, graph, n_ranks, axis);
  if (test::pick(random, 0, 3) == 0) profile.medium = Medium::shared;
  for (RankProfile& rank : profile.ranks) {
    rank.host = std::to_string(test::pick(random, 0, 4));
    rank.jitter_us = static_cast<double>(test::pick(random, 0, 1)) * 0.3;
    if (test::pick(random, 0, 1) == 0) continue;
    for (OpId id = 0; id < graph.size(); ++id) {
      OpCost& cost = rank.channels.emplace_back();
      if (channel_block(graph, id) == 0) continue;
      const Index all = graph.shape(id)[1];
      for (const Index extent : {all / 2, all}) {
        if (extent == 0 || (!cost.extents.empty() && extent <= cost.extents.back())) continue;
        cost.extents.push_back(extent);
        cost.microseconds.push_back(static_cast<double>(test::pick(random, 20, 60)));
      }
    }
  }
  return profile;
}

TEST(FrameBoundOfAnything, IsBelowEveryPlan) {
  double sum = 0;
  int n = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test::Random random(seed);
    const Graph graph = test::random_graph(random);
    const int n_ranks = static_cast<int>(test::pick(random, 1, 5));
    const SplitAxis axis = seed % 2 == 0 ? SplitAxis::rows : SplitAxis::columns;
    const CostModel costs(graph, random_costs(random, graph, n_ranks, axis));
    const double bound = frame_bound_us(costs);
    double best = evaluate(costs, single_rank_plan(graph, n_ranks, 0)).makespan_us;
    for (const std::string& strategy : strategies()) {
      const double us = make_plan(costs, strategy).predicted_us;
      EXPECT_LE(bound, us) << strategy;
      best = std::min(best, us);
    }
    for (int i = 0; i < 20; ++i)
      EXPECT_LE(bound, evaluate(costs, test::random_plan(random, graph, n_ranks, axis)).makespan_us);
    if (best > 0) sum += bound / best;
    n += best > 0 ? 1 : 0;
  }
  // A bound of nothing would hold as well.
  EXPECT_GE(sum / n, 0.4) << sum / n;
}

}  // namespace
}  // namespace strake::partition

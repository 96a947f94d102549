// SPDX-License-Identifier: Apache-2.0
#include "partition/planner.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/errors.hpp"
#include "partition/cycle_model.hpp"
#include "partition/random_graph.hpp"
#include "partition/strip_clock.hpp"
#include "partition/strip_plan.hpp"
#include "partition/throughput.hpp"
#include "partition/timeline.hpp"

namespace strake::partition {
namespace {

using test::add_conv3;
using test::add_input;
using test::add_op;
using test::add_output;
using test::chain;
using test::even_profile;
using test::Random;

bool works(const Graph& graph, const Plan& plan, int rank) {
  for (OpId id = 0; id < graph.size(); ++id)
    if (as<Input>(graph.op(id)) == nullptr && !plan.boxes(id, rank).empty()) return true;
  return false;
}

TEST(Planner, MakesCheckedPlansOfEveryStrategyForAnyNetwork) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Graph graph = test::random_graph(random);
    const int n_ranks = static_cast<int>(test::pick(random, 1, 5));
    const SplitAxis axis = seed % 2 == 0 ? SplitAxis::rows : SplitAxis::columns;
    const CostModel costs(graph, test::random_profile(random, graph, n_ranks, axis));
    for (const std::string& strategy : strategies()) {
      SCOPED_TRACE(strategy);
      // Dozens of plans each.
      if (needs_frames_in_flight(strategy) && seed % 15 != 0) continue;
      const Plan plan = make_plan(costs, strategy);
      EXPECT_NO_THROW(check(graph, plan, n_ranks));
      EXPECT_EQ(plan.axis, axis);
      EXPECT_NEAR(plan.predicted_us, predicted_cycle_us(costs, plan), 1e-6);
    }
  }
}

TEST(Planner, NeverChoosesWhatIsSlowerThanOneRank) {
  for (unsigned seed = 1000; seed < 1100; ++seed) {
    Random random(seed);
    const Graph graph = test::random_graph(random);
    const CostModel costs(graph, test::random_profile(random, graph, 3, SplitAxis::rows));
    EXPECT_LE(make_plan(costs, "auto").predicted_us, make_plan(costs, "single").predicted_us) << "seed " << seed;
  }
}

TEST(Planner, AnswersTheSameTwice) {
  for (unsigned seed = 2000; seed < 2020; ++seed) {
    Random random(seed);
    const Graph graph = test::random_graph(random);
    const CostModel costs(graph, test::random_profile(random, graph, 4, SplitAxis::rows));
    const Plan once = make_plan(costs, "auto");
    const Plan twice = make_plan(costs, "auto");
    EXPECT_EQ(once.produces, twice.produces) << "seed " << seed;
    EXPECT_EQ(once.overlap, twice.overlap) << "seed " << seed;
    EXPECT_EQ(once.notes, twice.notes) << "seed " << seed;
  }
}

TEST(Planner, CoversEachMapOnceByExchange) {
  for (unsigned seed = 3000; seed < 3060; ++seed) {
    Random random(seed);
    const Graph graph = test::random_graph(random);
    const CostModel costs(graph, test::random_profile(random, graph, 3, SplitAxis::rows));
    const Plan plan = make_plan(costs, "oodp-exchange");
    for (OpId id = 0; id < graph.size(); ++id) {
      Index cells = 0;
      BoxList all;
      for (int rank = 0; rank < 3; ++rank) {
        for (const Box& box : plan.boxes(id, rank)) {
          cells += box.volume();
          all.push_back(box);
        }
      }
      EXPECT_EQ(cells, volume(graph.shape(id))) << "seed " << seed << ", operator " << id;
      EXPECT_EQ(covered_volume(all), cells) << "seed " << seed << ", operator " << id;
    }
  }
}

// Rows and boxes tell the same time: planners try rows, the user is told of boxes.
TEST(Planner, PredictsRowsAsItPredictsBoxes) {
  int n_equal = 0;
  constexpr int n_cases = 60;
  for (unsigned seed = 4000; seed < 4000 + n_cases; ++seed) {
    Random random(seed);
    const Graph graph = test::random_graph(random);
    Profile profile = test::random_profile(random, graph, 3, SplitAxis::rows);
    profile.transfer_type = static_cast<TransferType>(seed % 4);
    for (RankProfile& rank : profile.ranks) rank.encode_us_per_byte = rank.decode_us_per_byte = 0.001;
    profile.links[1][2].same_host = profile.links[2][1].same_host = true;
    const CostModel costs(graph, profile);
    const StripModel model(costs);
    StripPlan strips = empty_strip_plan(model, {0, 1, 2});
    for (OpId id = 0; id < model.size(); ++id) {
      if (model.op(id).kind != StripKind::cut) continue;
      const Index n_rows = model.op(id).n_rows;
      Index first = test::pick(random, 0, n_rows);
      Index second = test::pick(random, 0, n_rows);
      if (first > second) std::swap(first, second);
      strips.segments.push_back({.ops = {id}, .cuts = {0, first, second, n_rows}});
      if (test::pick(random, 0, 1) == 0) strips.overlap[static_cast<std::size_t>(id)] = Overlap::interior_first;
    }
    for (int& home : strips.home) home = static_cast<int>(test::pick(random, 0, 2));
    const double by_boxes = to_plan(model, strips, "random").predicted_us;
    // The rows between two that are needed count as sent, and their sender's work with them.
    EXPECT_NEAR(predict_us(model, strips), by_boxes, 0.1 * by_boxes) << "seed " << seed;
    n_equal += std::abs(predict_us(model, strips) - by_boxes) < 1e-6 * by_boxes;
  }
  // Where two readers of one tensor need rows that do not touch, rows count what lies between as sent.
  EXPECT_GE(n_equal, n_cases * 3 / 4);
}

TEST(Planner, HalvesTheFrameOnTwoEqualRanks) {
  const Graph graph = chain();
  const CostModel costs(graph, even_profile(graph, {10, 10}, {0.1, 0}));
  const Plan plan = make_plan(costs, "auto");
  EXPECT_LT(plan.predicted_us, 0.51 * 3 * 24 * 10);
  for (OpId id = 1; id < graph.size(); ++id) EXPECT_EQ(plan.boxes(id, 0).front()[2], (Interval{0, 12}));
}

TEST(Planner, LeavesOutARankThatOnlyHurtsAndSaysSo) {
  const Graph graph = chain();
  Profile profile = even_profile(graph, {10, 300}, {2, 0.0001});
  // Where frames differ, 3 % are not enough.
  for (RankProfile& rank : profile.ranks) rank.jitter_us = 1e-9;
  const CostModel costs(graph, profile);
  const Plan plan = make_plan(costs, "auto");
  EXPECT_FALSE(works(graph, plan, 1));
  EXPECT_EQ(plan.predicted_us, make_plan(costs, "single").predicted_us);
  bool said = false;
  for (const std::string& note : plan.notes) said |= note.rfind("rank 1 left out: ", 0) == 0;
  EXPECT_TRUE(said);
}

TEST(Planner, DropsTheSlowOfThreeRanks) {
  const Graph graph = chain();
  const CostModel costs(graph, even_profile(graph, {10, 400, 10}, {1, 0.0001}));
  const Plan plan = make_plan(costs, "oodp");
  EXPECT_TRUE(works(graph, plan, 0));
  EXPECT_FALSE(works(graph, plan, 1));
  EXPECT_TRUE(works(graph, plan, 2));
}

// A rank that is left out of a plan may cost 3 %.
TEST(Planner, TakesTheFasterOfExchangeAndRecompute) {
  const Graph graph = chain();
  for (const double latency_us : {0.0, 300.0, 1400.0}) {
    const CostModel costs(graph, even_profile(graph, {100, 100}, {latency_us, 0}));
    const double us = make_plan(costs, "auto").predicted_us;
    EXPECT_LE(us, 1.03 * make_plan(costs, "oodp-exchange").predicted_us);
    EXPECT_LE(us, 1.03 * make_plan(costs, "oodp-recompute").predicted_us);
  }
}

// A link of 0.03 us a byte, some 30 MB/s: fewer bytes are worth their rounding.
TEST(Planner, GainsBySendingFewerBytesOverSlowLinks) {
  const Graph graph = chain();
  Profile profile = even_profile(graph, {100, 100}, {20, 0.03});
  for (RankProfile& rank : profile.ranks) rank.encode_us_per_byte = rank.decode_us_per_byte = 0.0003;
  double before_us = make_plan(CostModel(graph, profile), "auto").predicted_us;
  for (const TransferType type : {TransferType::bf16, TransferType::int8}) {
    profile.transfer_type = type;
    const Plan plan = make_plan(CostModel(graph, profile), "auto");
    EXPECT_EQ(plan.transfer_type, type);
    EXPECT_LT(plan.predicted_us, before_us) << to_string(type);
    before_us = plan.predicted_us;
  }
  // A plan that waits for whole cells waits less for rounded ones.
  profile.transfer_type = TransferType::f32;
  const Plan whole_cells = make_plan(CostModel(graph, profile), "equal");
  profile.transfer_type = TransferType::bf16;
  EXPECT_LT(evaluate(CostModel(graph, profile), whole_cells).makespan_us, whole_cells.predicted_us);
}

// Half of 24 rows costs half, but of the late map any part costs as much as all of it: its weights are all read.
TEST(Planner, ChangesFromRowsToChannelsWhereWeightsWeighMore) {
  Graph graph;
  OpId last = add_conv3(graph, add_input(graph, {1, 3, 24, 24}), 32);
  for (int i = 0; i < 3; ++i) last = add_conv3(graph, last, 64);
  add_output(graph, last);
  Profile profile = even_profile(graph, {100, 100}, {1, 0.00001});
  for (RankProfile& rank : profile.ranks)
    for (std::size_t op = 3; op < rank.ops.size(); ++op)
      rank.ops[op] = {.extents = {1, 24}, .microseconds = {2300, 2400}};
  const Plan plan = make_plan(CostModel(graph, profile), "auto");
  EXPECT_EQ(plan.strategy, "oodp-hybrid");
  for (int rank = 0; rank < 2; ++rank) {
    const Interval rows{rank * 12, rank * 12 + 12};
    const Interval channels{rank * 32, rank * 32 + 32};
    EXPECT_EQ(plan.boxes(1, rank), BoxList{with_axis(whole(graph.shape(1)), 2, rows)});
    EXPECT_EQ(plan.boxes(4, rank), BoxList{with_axis(whole(graph.shape(4)), 1, channels)});
  }
}

TEST(Planner, KeepsAHeavyTailOnTheFasterRank) {
  Graph graph;
  OpId last = add_conv3(graph, add_input(graph, {1, 3, 24, 24}), 8);
  last = add_op(graph, {last}, Reshape{}, {1, 8 * 24 * 24, 1, 1});
  last = test::add_conv(graph, last, 100, {});
  add_output(graph, last);
  Profile profile = even_profile(graph, {30, 10}, {1, 0.0001});
  profile.ranks[0].ops.back().microseconds = {3000};
  profile.ranks[1].ops.back().microseconds = {1000};
  const Plan plan = make_plan(CostModel(graph, profile), "auto");
  EXPECT_TRUE(plan.boxes(3, 0).empty());
  EXPECT_EQ(plan.boxes(3, 1).size(), 1U);
  EXPECT_EQ(plan.boxes(2, 1).size(), 1U);
}

TEST(Planner, PutsTheRankWithSlowLinksAtAnEnd) {
  const Graph graph = chain();
  Profile profile = even_profile(graph, {100, 100, 100}, {1, 0.0001});
  for (std::size_t other : {0U, 2U}) profile.links[1][other] = profile.links[other][1] = {60, 0.001};
  const Plan plan = make_plan(CostModel(graph, profile), "oodp-exchange");
  ASSERT_TRUE(works(graph, plan, 1));
  const Interval rows = plan.boxes(2, 1).front()[2];
  EXPECT_TRUE(rows.begin == 0 || rows.end == 24) << to_string(rows);
}

TEST(Planner, GivesEveryRankWorkByEqual) {
  const Graph graph = chain();
  const Plan plan = equal_plan(graph, 5, SplitAxis::rows);
  EXPECT_EQ(plan.predicted_us, 0);
  EXPECT_NO_THROW(check(graph, plan, 5));
  for (int rank = 0; rank < 5; ++rank) {
    const Index rows = plan.boxes(1, rank).front()[2].size();
    EXPECT_TRUE(rows == 4 || rows == 5) << rows;
  }
}

TEST(Planner, CutsInProportionToThroughput) {
  const Graph graph = chain();
  const CostModel costs(graph, even_profile(graph, {10, 30}, {1, 0}));
  const Plan plan = make_plan(costs, "proportional");
  for (OpId id = 1; id < graph.size(); ++id) EXPECT_EQ(plan.boxes(id, 0).front()[2], (Interval{0, 18}));
}

TEST(Planner, PlansMoreRanksThanRows) {
  Graph graph;
  add_output(graph, add_conv3(graph, add_input(graph, {1, 3, 2, 2}), 4));
  for (const std::string& strategy : strategies()) {
    const CostModel costs(graph, even_profile(graph, std::vector<double>(8, 10.0), {1, 0}));
    EXPECT_NO_THROW(check(graph, make_plan(costs, strategy), 8)) << strategy;
  }
}

// From 1 Mbit/s to 10 Gbit/s: one node at the slow end, all of them at the fast end, and in between what the timeline
// says of every other plan. Ranks must earn 3 %, so as much is allowed.
TEST(Planner, UsesMoreRanksAsLinksGetFaster) {
  const Graph graph = chain();
  double slower_us = std::numeric_limits<double>::infinity();
  for (double mbit = 1; mbit <= 10000; mbit *= 1.5) {
    SCOPED_TRACE(std::to_string(mbit) + " Mbit/s");
    const CostModel costs(graph, even_profile(graph, {100, 100, 200}, {20, 8 / mbit}));
    const Plan plan = make_plan(costs, "auto");
    EXPECT_LE(plan.predicted_us, slower_us * 1.03);
    slower_us = plan.predicted_us;
    for (const std::string& strategy : strategies())
      if (!needs_frames_in_flight(strategy)) {
        EXPECT_LE(plan.predicted_us, make_plan(costs, strategy).predicted_us * 1.03 + 1e-9) << strategy;
      }
    if (mbit == 1) {
      EXPECT_EQ(plan.strategy, "single");
      EXPECT_EQ(working_ranks(graph, plan), std::vector<int>{0});
    }
  }
  const CostModel fast(graph, even_profile(graph, {100, 100, 200}, {20, 8.0 / 10000}));
  EXPECT_EQ(working_ranks(graph, make_plan(fast, "auto")), (std::vector<int>{0, 1, 2}));
}

TEST(Planner, NamesTheStrategiesThatItKnows) {
  const Graph graph = chain();
  const CostModel costs(graph, even_profile(graph, {10}, {}));
  try {
    (void)make_plan(costs, "fastest");
    FAIL() << "nothing was thrown";
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("oodp-exchange"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace strake::partition

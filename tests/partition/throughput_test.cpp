// SPDX-License-Identifier: Apache-2.0
#include "partition/throughput.hpp"

#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "core/unroll.hpp"
#include "partition/cycle_model.hpp"
#include "partition/plan_json.hpp"
#include "partition/planner.hpp"
#include "partition/random_graph.hpp"
#include "partition/timeline.hpp"

namespace strake::partition {
namespace {

using test::chain;
using test::even_profile;
using test::Random;

double fps(const Plan& plan) { return plan.frames * 1e6 / plan.predicted_us; }

// [frame]
std::vector<std::vector<int>> ranks_by_frame(const Graph& graph, const Plan& plan) {
  std::vector<std::vector<int>> ranks;
  for (int frame = 0; frame < plan.frames; ++frame) ranks.push_back(working_ranks(graph, frame_plan(plan, frame)));
  return ranks;
}

// Three layers of 24 rows: 720 us on rank 0, 1440 on rank 1. Two frames and one take 1440 us together.
TEST(DataParallel, DealsFramesBySpeed) {
  const Graph graph = chain();
  const CostModel costs(graph, even_profile(graph, {10, 20}, {}));
  const Plan plan = make_throughput_plan(costs, "data-parallel");
  EXPECT_EQ(plan.frames, 3);
  EXPECT_NEAR(plan.predicted_us, 1440, 1e-6);
  EXPECT_EQ(ranks_by_frame(graph, plan), (std::vector<std::vector<int>>{{0}, {1}, {0}}));
  EXPECT_EQ(make_plan(costs, "data-parallel").produces, plan.produces);
}

// An input takes 300 us to rank 1, its output as long back; rank 0 works meanwhile. One frame each: rank 1 is done
// after 300 + 720 + 300. More frames hide that: while one is computed, the next one's input is under way.
TEST(DataParallel, HidesMessagesBehindMoreFrames) {
  const Graph graph = chain();
  const CostModel costs(graph, even_profile(graph, {10, 10}, {300, 0}));
  const Plan pair = cycle_plan({single_rank_plan(graph, 2, 0), single_rank_plan(graph, 2, 1)}, "data-parallel");
  EXPECT_NEAR(predicted_cycle_us(costs, pair), 1320, 1e-6);
  const Plan plan = make_throughput_plan(costs, "data-parallel");
  EXPECT_GT(plan.frames, 2);
  EXPECT_GT(fps(plan), 1.2 * 2e6 / 1320);
  EXPECT_LE(fps(plan), 2e6 / 720 * (1 + 1e-9));
}

TEST(DataParallel, KeepsToTheFramesThatMayBeInFlight) {
  const Graph graph = chain();
  const CostModel costs(graph, even_profile(graph, {10, 10, 10}, {}));
  EXPECT_EQ(make_throughput_plan(costs, "data-parallel").frames, 3);
  EXPECT_EQ(make_throughput_plan(costs, "data-parallel", {.most_in_flight = 2}).frames, 2);
  EXPECT_EQ(make_throughput_plan(costs, "data-parallel", {.most_in_flight = 1}).frames, 1);
}

// Where messages cost nothing, splitting every frame gives the same throughput with a third of the latency.
TEST(Throughput, SplitsFramesWhereThatCostsNothing) {
  const Graph graph = chain();
  const CostModel costs(graph, even_profile(graph, {10, 20}, {}));
  const Plan plan = make_throughput_plan(costs, "auto");
  EXPECT_EQ(plan.frames, 1);
  EXPECT_NEAR(plan.predicted_us, 480, 1e-6);
}

TEST(Throughput, DealsWholeFramesWhereHalosAreDear) {
  const Graph graph = chain();
  const CostModel costs(graph, even_profile(graph, {10, 10}, {400, 0}));
  EXPECT_EQ(make_plan(costs, "auto").strategy, "single");
  const Plan plan = make_throughput_plan(costs, "auto");
  EXPECT_EQ(plan.strategy, "data-parallel");
  EXPECT_GE(fps(plan), 1.4 * 1e6 / 720);
}

// At 1000 frames/s rank 0 alone keeps up (720 us), and nothing takes less; at 2000 it does not.
TEST(Throughput, TakesTheLeastLatencyThatKeepsUp) {
  const Graph graph = chain();
  const CostModel costs(graph, even_profile(graph, {10, 10}, {400, 0}));
  const Plan slow = make_throughput_plan(costs, "auto", {.offered_fps = 1000});
  EXPECT_EQ(slow.strategy, "single");
  EXPECT_EQ(slow.frames, 1);
  const Plan fast = make_throughput_plan(costs, "auto", {.offered_fps = 2000});
  EXPECT_GE(fps(fast), 2000);
  EXPECT_GT(fast.frames, 1);
  // Nothing keeps up with this one: as many as can be.
  EXPECT_EQ(make_throughput_plan(costs, "auto", {.offered_fps = 1e6}).produces,
            make_throughput_plan(costs, "auto").produces);
}

// Four equal ranks, two groups: each splits frames of its own.
TEST(FrameGroups, SplitFramesWithinGroups) {
  const Graph graph = chain();
  const CostModel costs(graph, even_profile(graph, {10, 10, 10, 10}, {20, 0}));
  const Plan plan = make_throughput_plan(costs, "frame-groups");
  EXPECT_EQ(plan.strategy, "frame-groups");
  for (const std::vector<int>& ranks : ranks_by_frame(graph, plan)) EXPECT_FALSE(ranks.empty());
  EXPECT_LE(fps(plan), 4e6 / 720 * (1 + 1e-9));
  EXPECT_GT(fps(plan), 2e6 / 720);
}

TEST(Throughput, IsNeverBelowOneFrameAfterTheOther) {
  for (unsigned seed = 0; seed < 25; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Graph graph = test::random_graph(random);
    const int n_ranks = static_cast<int>(test::pick(random, 1, 4));
    const CostModel costs(graph, test::random_profile(random, graph, n_ranks, SplitAxis::rows));
    const Plan plan = make_throughput_plan(costs, "auto");
    EXPECT_NO_THROW(check(graph, plan, n_ranks));
    EXPECT_NEAR(plan.predicted_us, predicted_cycle_us(costs, plan), 1e-6);
    EXPECT_GE(fps(plan) * 1.05, 1e6 / make_plan(costs, "auto").predicted_us);
  }
}

TEST(Throughput, TravelsAsAFile) {
  const Graph graph = chain();
  const CostModel costs(graph, even_profile(graph, {10, 20}, {}));
  const Plan plan = make_throughput_plan(costs, "data-parallel");
  const std::string text = plan_to_json(graph, plan);
  const Plan back = plan_from_json(graph, text, 2, "test");
  EXPECT_EQ(back.frames, plan.frames);
  EXPECT_EQ(back.produces, plan.produces);
  EXPECT_EQ(back.overlap, plan.overlap);
  EXPECT_EQ(back.strategy, plan.strategy);
  const auto error = [&](const std::string& from, const std::string& to) -> std::string {
    std::string bad = text;
    bad.replace(bad.find(from), from.size(), to);
    try {
      (void)plan_from_json(graph, bad, 2, "test");
    } catch (const InvalidInput& found) {
      return found.what();
    }
    return "";
  };
  EXPECT_NE(error("\"frames\": 3", "\"frames\": 2").find("of frame 2"), std::string::npos);
  EXPECT_NE(error("\"frames\": 3", "\"frames\": 4").find("missing in frame 3"), std::string::npos);
  EXPECT_NE(error("\"frames\": 3", "\"frames\": 0").find("expected from 1 to"), std::string::npos);
  EXPECT_NE(error("\"frames\": 3", "\"frames\": 99999999").find("expected from 1 to"), std::string::npos);
  EXPECT_NE(error("\"frame\":1", "\"frame\":0"), "");
}

}  // namespace
}  // namespace strake::partition

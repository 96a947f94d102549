// SPDX-License-Identifier: Apache-2.0
// What plans make ranks hold, against cases worked by hand, and what the planner makes of limits.

#include "partition/memory.hpp"

#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "partition/planner.hpp"
#include "partition/random_graph.hpp"

namespace strake::partition {
namespace {

// Two convolutions of one pixel, 4 to 64 to 64 channels of 32 x 32 cells.
class Memory : public testing::Test {
 protected:
  static constexpr double cells = 32 * 32 * 4;  // bytes of one channel

  Memory() {
    OpId last = test::add_input(graph_, {1, 4, 32, 32});
    last = test::add_conv(graph_, last, 64, {});
    test::add_output(graph_, test::add_conv(graph_, last, 64, {}));
    profile_ = {.model = fingerprint(graph_), .axis = SplitAxis::rows, .ranks = {}, .links = {}};
    for (int rank = 0; rank < 2; ++rank) {
      const OpCost cost{.extents = {32}, .microseconds = {rank == 0 ? 100.0 : 1000.0}};
      profile_.ranks.push_back({.host = {}, .ops = {{}, cost, cost}, .baseline_bytes = 1000});
      profile_.links.emplace_back(2, Link{.latency_us = 1});
      profile_.links.back()[static_cast<std::size_t>(rank)] = {};
    }
  }

  Plan made(const std::string& strategy, const Goal& goal = {}) const {
    return make_plan(CostModel(graph_, profile_), strategy, goal);
  }

  Graph graph_;
  Profile profile_;
};

constexpr double first_weights = (64 * 4 + 64) * 4;
constexpr double second_weights = (64 * 64 + 64) * 4;

// At the second convolution both its maps are alive, and nothing of the input.
TEST_F(Memory, IsWeightsAndWhatLivesAtOnce) {
  const std::vector<double> bytes = process_bytes(graph_, profile_, single_rank_plan(graph_, 2, 0));
  EXPECT_EQ(bytes[0], 1000 + 128 * cells + first_weights + second_weights);
  EXPECT_EQ(bytes[1], 1000);
}

TEST_F(Memory, HoldsThePartsOfARank) {
  const std::vector<double> bytes = process_bytes(graph_, profile_, made("equal"));
  // Rank 0 waits for the other half of the output beside its half of the map before it.
  EXPECT_EQ(bytes[0], 1000 + (32 + 64) * cells + first_weights + second_weights);
  EXPECT_EQ(bytes[1], 1000 + (32 + 32) * cells + first_weights + second_weights);
}

TEST_F(Memory, HoldsWeightsOfItsChannels) {
  Plan plan = single_rank_plan(graph_, 2, 0);
  for (int rank = 0; rank < 2; ++rank)
    plan.boxes(2, rank) = {with_axis(whole(graph_.shape(2)), 1, {32 * rank, 32 * rank + 32})};
  const std::vector<double> bytes = process_bytes(graph_, profile_, plan);
  EXPECT_EQ(bytes[1], 1000 + (64 + 32) * cells + second_weights / 2);
}

TEST_F(Memory, IsWhatTheObjectiveMakesLeast) {
  const Plan fast = made("auto");
  const Plan lean = made("auto", {.objective = Objective::memory});
  EXPECT_LT(most_process_bytes(graph_, profile_, lean), 0.9 * most_process_bytes(graph_, profile_, fast));
  EXPECT_GT(lean.predicted_us, fast.predicted_us);
  EXPECT_EQ(most_process_bytes(graph_, profile_, made("lean")), most_process_bytes(graph_, profile_, lean));
}

TEST_F(Memory, LimitsTheFastestPlan) {
  const double free = most_process_bytes(graph_, profile_, made("auto"));
  const double least = most_process_bytes(graph_, profile_, made("lean"));
  const double limit = (free + least) / 2;
  const Plan plan = made("auto", {.most_bytes = limit});
  EXPECT_LE(most_process_bytes(graph_, profile_, plan), limit);
  EXPECT_LE(plan.predicted_us, made("lean").predicted_us);
  EXPECT_EQ(made("auto", {.most_bytes = 2 * free}).produces, made("auto").produces);
}

TEST_F(Memory, SaysWhatIsNeededAtLeast) {
  try {
    (void)made("auto", {.most_bytes = 2000});
    FAIL() << "nothing was thrown";
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("needs"), std::string::npos) << error.what();
  }
}

TEST_F(Memory, KnowsItsObjectives) {
  for (const std::string& name : objectives()) EXPECT_NO_THROW((void)objective_of(name));
  EXPECT_THROW((void)objective_of("beauty"), InvalidInput);
  EXPECT_TRUE(has_choice("auto"));
  EXPECT_FALSE(has_choice("equal"));
}

// Whatever the network, a limit is kept or refused, and the leanest plan is never worse than even strips.
TEST(MemoryOfAnything, KeepsLimits) {
  for (unsigned seed = 0; seed < 6; ++seed) {
    test::Random random(seed);
    const Graph graph = test::random_graph(random);
    const Profile profile = test::random_profile(random, graph, 3, SplitAxis::rows);
    const CostModel costs(graph, profile);
    const double least = most_process_bytes(graph, profile, make_plan(costs, "auto", {.objective = Objective::memory}));
    EXPECT_LE(least, 1.01 * most_process_bytes(graph, profile, make_plan(costs, "equal"))) << "seed " << seed;
    for (const double factor : {0.5, 1.0, 1.5}) {
      try {
        const Plan plan = make_plan(costs, "auto", {.most_bytes = factor * least});
        EXPECT_LE(most_process_bytes(graph, profile, plan), factor * least) << "seed " << seed;
      } catch (const InvalidInput&) {
        EXPECT_LT(factor, 1.02) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace strake::partition

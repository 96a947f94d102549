// SPDX-License-Identifier: Apache-2.0
#include "partition/strip_clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "partition/anneal.hpp"
#include "partition/course.hpp"
#include "partition/deepen.hpp"
#include "partition/random_graph.hpp"
#include "partition/strategies/strategies.hpp"

namespace strake::partition {
namespace {

TEST(StripClock, RemembersNothingOfThePlanBefore) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test::Random random(seed);
    const Graph graph = test::random_graph(random);
    const CostModel costs(graph, test::random_profile(random, graph, 3, SplitAxis::rows));
    const StripModel model(costs);
    const StripPlan plans[] = {plan_equal(model), plan_single(model), plan_recompute(model, {2, 0, 1}),
                               plan_proportional(model)};
    StripClock clock(model);
    for (int round = 0; round < 2; ++round)
      for (const StripPlan& plan : plans) {
        const double us = clock.predict_us(plan);
        EXPECT_EQ(us, predict_us(model, plan));
        // Rows are a little coarser than boxes.
        EXPECT_NEAR(us, to_plan(model, plan, "any").predicted_us, 0.1 * us);
      }
  }
}

TEST(StripClock, StopsOnlyAboveWhatIsEnough) {
  for (unsigned seed = 100; seed < 140; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test::Random random(seed);
    const Graph graph = test::random_graph(random);
    const CostModel costs(graph, test::random_profile(random, graph, 3, SplitAxis::rows));
    const StripModel model(costs);
    const StripPlan plan = plan_equal(model);
    StripClock clock(model);
    const double us = clock.predict_us(plan);
    ASSERT_GT(us, 0);
    for (const double part : {0.1, 0.5, 0.9}) EXPECT_GT(clock.predict_us(plan, us * part), us * part);
    // A rank may compute longer than rank 0 waits, but not in a plan that is good.
    EXPECT_GE(clock.predict_us(plan, us), us);
  }
}

TEST(Deepen, FindsPlansThatAreNoSlower) {
  double sum = 0;
  constexpr int n = 40;
  for (unsigned seed = 200; seed < 200 + n; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test::Random random(seed);
    const Graph graph = test::random_graph(random);
    const CostModel costs(graph, test::random_profile(random, graph, 3, SplitAxis::rows));
    const StripModel model(costs);
    const StripPlan plan = plan_proportional(model);
    for (const Segments segments : {Segments::kept, Segments::changed}) {
      const StripPlan deeper = deepen(model, plan, segments);
      EXPECT_LE(predict_us(model, deeper), predict_us(model, plan));
      EXPECT_NO_THROW((void)to_plan(model, deeper, "any"));  // it is checked there
      EXPECT_TRUE(segments == Segments::changed || deeper.segments.size() == plan.segments.size());
      sum += predict_us(model, deeper) / std::max(predict_us(model, plan), 1e-9);
    }
  }
  // Cuts in proportion to the whole network are far from the best in networks drawn at random.
  EXPECT_LT(sum / (2 * n), 0.95);
}

TEST(Anneal, FindsPlansThatAreNoSlowerAndTheSameTwice) {
  for (unsigned seed = 300; seed < 320; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test::Random random(seed);
    const Graph graph = test::random_graph(random);
    const CostModel costs(graph, test::random_profile(random, graph, 3, SplitAxis::rows));
    const StripModel model(costs);
    const StripPlan start = plan_proportional(model);
    const StripPlan plan = anneal(model, start, Segments::changed, Ranks::any);
    EXPECT_LE(predict_us(model, plan), predict_us(model, start));
    EXPECT_NO_THROW((void)to_plan(model, plan, "any"));
    const StripPlan again = anneal(model, start, Segments::changed, Ranks::any);
    EXPECT_EQ(to_plan(model, plan, "any").produces, to_plan(model, again, "any").produces);
  }
}

TEST(Anneal, BringsInRanksThatWereLeftOutOnlyIfAsked) {
  const Graph graph = test::chain();
  const CostModel costs(graph, test::even_profile(graph, {10, 10, 10, 10}, {0.1, 0}));
  const StripModel model(costs);
  const StripPlan single = plan_single(model);
  const double single_us = predict_us(model, single);
  EXPECT_LT(predict_us(model, anneal(model, single, Segments::changed, Ranks::any)), 0.5 * single_us);
  EXPECT_EQ(predict_us(model, anneal(model, single, Segments::changed, Ranks::of_plan)), single_us);
}

}  // namespace
}  // namespace strake::partition

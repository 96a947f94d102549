// SPDX-License-Identifier: Apache-2.0
#include "partition/live_decision.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "core/errors.hpp"
#include "partition/planner.hpp"
#include "partition/random_graph.hpp"
#include "partition/timeline.hpp"

namespace strake::partition {
namespace {

using test::chain;
using test::even_profile;

LiveWindow window(long frames, double latency_us, std::vector<double> compute_us, std::vector<double> probe_us = {}) {
  const std::size_t n = compute_us.size();
  return {.frames = frames,
          .latency_us = latency_us,
          .compute_us = std::move(compute_us),
          .probe_us = probe_us.empty() ? std::vector<double>(n) : std::move(probe_us)};
}

TEST(LiveFactors, AreTheMiddleOfThreeWindows) {
  LiveFactors factors({0, 0});
  factors.begin_plan({100, 200});
  factors.add(window(5, 300, {100, 200}));
  factors.add(window(5, 300, {150, 200}));
  EXPECT_EQ(factors.factors(), (std::vector<double>{1, 1}));  // too few yet
  EXPECT_FALSE(factors.settled(0.5));
  factors.add(window(5, 330, {120, 900}));  // a hiccup of rank 1
  EXPECT_EQ(factors.factors(), (std::vector<double>{1.2, 1}));
  EXPECT_EQ(factors.latency_us(), 300);
  EXPECT_FALSE(factors.settled(0.15));
  factors.add(window(5, 330, {120, 200}));
  EXPECT_TRUE(factors.settled(0.15));
}

TEST(LiveFactors, TellRanksWithoutWorkByTheirProbe) {
  LiveFactors factors({50, 50});
  factors.begin_plan({100, 100});
  for (int i = 0; i < 3; ++i) factors.add(window(5, 300, {100, 400}));  // so it was probed at factor 4
  factors.begin_plan({200, 0});
  for (int i = 0; i < 3; ++i) factors.add(window(5, 300, {200, 0}, {0, 50}));
  EXPECT_EQ(factors.factors(), (std::vector<double>{1, 4}));
  for (int i = 0; i < 3; ++i) factors.add(window(5, 300, {200, 0}, {0, 12.5}));
  EXPECT_EQ(factors.factors(), (std::vector<double>{1, 1}));
}

TEST(LiveFactors, RefusesWindowsOfOtherRanks) {
  LiveFactors factors({0, 0});
  EXPECT_THROW(factors.add(window(5, 300, {1})), Bug);
}

// A cluster whose ranks have the speeds that a test gives them, watched by a decision. Times follow from the timeline
// of the true speeds, so nothing here asks the code under test what frames take.
class LiveCluster {
 public:
  LiveCluster(std::vector<double> us_per_row, Link link, const LiveRules& rules = {})
      : graph_(chain()),
        profile_(even_profile(graph_, us_per_row, link)),
        true_(us_per_row.size(), 1.0),
        true_links_(profile_.links),
        decision_(graph_, profile_, fresh_plan(), std::vector<double>(us_per_row.size(), 100.0), rules) {}

  std::vector<double>& speeds() { return true_; }
  // Messages from and to the rank take so many times what they took at first.
  void slow_links_of(std::size_t rank, double times) {
    for (std::size_t peer = 0; peer < true_.size(); ++peer)
      for (const auto& [a, b] : {std::pair{rank, peer}, std::pair{peer, rank}}) {
        true_links_[a][b].latency_us = times * profile_.links[a][b].latency_us;
        true_links_[a][b].us_per_byte = times * profile_.links[a][b].us_per_byte;
      }
  }
  LiveDecision& decision() { return decision_; }
  std::function<double(double)> noise = [](double us) { return us; };
  std::function<double(const Plan&)> surprise = [](const Plan&) { return 1.0; };  // what no profile knows

  // What a frame takes at the true speeds.
  [[nodiscard]] double frame_us(const Plan& plan) const { return timeline(plan).makespan_us * surprise(plan); }
  [[nodiscard]] Plan fresh_plan() const { return make_plan(true_costs(), "auto"); }

  // Frames for so long, in windows of a tenth of a second; planning takes one of them, preparing another two.
  void run_for(double us) {
    for (double until = now_us_ + us; now_us_ < until;) run_window();
  }
  void run_frames(long n) {
    for (const long until = frames_ + n; frames_ < until;) run_window();
  }

  [[nodiscard]] int count(const std::string& what) {
    int n = 0;
    for (const LiveEvent& event : decision_.events()) n += event.what == what ? 1 : 0;
    return n;
  }
  int plans_made = 0;
  int links_measured = 0;

 private:
  [[nodiscard]] CostModel true_costs() const {
    Profile now = profile_;
    now.links = true_links_;
    for (std::size_t rank = 0; rank < true_.size(); ++rank) scale_times(now.ranks[rank], true_[rank]);
    return {graph_, std::move(now)};
  }
  [[nodiscard]] Timeline timeline(const Plan& plan) const { return evaluate(true_costs(), plan); }

  void run_window() {
    const Timeline now = timeline(decision_.running());
    const double us = frame_us(decision_.running());
    LiveWindow seen;
    seen.frames = std::max(1L, static_cast<long>(100e3 / us));
    for (std::size_t rank = 0; rank < true_.size(); ++rank) {
      seen.compute_us.push_back(noise(now.compute_us[rank]));
      seen.probe_us.push_back(now.compute_us[rank] > 0 ? 0 : noise(100 * true_[rank]));
    }
    seen.latency_us = noise(us);
    now_us_ += us * static_cast<double>(seen.frames);
    frames_ += seen.frames;
    LiveStep step = decision_.observe(seen);
    if (step == LiveStep::measure_links) {
      ++links_measured;
      constexpr double measuring_us = 100e3;
      now_us_ += measuring_us;
      step = decision_.links_measured(true_links_, measuring_us);
    }
    if (planned_) {
      if (decision_.consider(*std::exchange(planned_, std::nullopt))) windows_to_prepare_ = 2;
    } else if (windows_to_prepare_ > 0 && --windows_to_prepare_ == 0) {
      if (decision_.still_worth()) decision_.switched();
    } else if (step == LiveStep::make_plan || step == LiveStep::make_plan_at_once) {
      ++plans_made;
      planned_ = make_plan(CostModel(graph_, decision_.present_profile()), "auto");
    } else if (step == LiveStep::roll_back) {
      decision_.rolled_back();
    }
  }

  Graph graph_;
  Profile profile_;
  std::vector<double> true_;  // factors
  std::vector<std::vector<Link>> true_links_;
  LiveDecision decision_;
  std::optional<Plan> planned_;
  int windows_to_prepare_ = 0;
  double now_us_ = 0;
  long frames_ = 0;
};

constexpr double second = 1e6;
constexpr Link quick{.latency_us = 20, .us_per_byte = 0.001};

TEST(LiveDecision, StaysAtSteadySpeeds) {
  LiveCluster cluster({100, 150}, quick);
  cluster.run_frames(10'000);
  EXPECT_EQ(cluster.plans_made, 0);
  EXPECT_EQ(cluster.links_measured, 0);
  EXPECT_TRUE(cluster.decision().events().empty());
}

// A profile that was measured on another day: one new plan, and then the same for ever.
TEST(LiveDecision, CorrectsAStaleProfileOnce) {
  LiveCluster cluster({100, 100}, quick);
  cluster.speeds() = {1.1, 2.1};
  cluster.run_frames(10'000);
  EXPECT_EQ(cluster.count("switched"), 1);
  EXPECT_EQ(cluster.count("confirmed"), 1);
  EXPECT_LE(cluster.plans_made, 3);
}

class LiveDecisionBySlowdown : public testing::TestWithParam<double> {};

TEST_P(LiveDecisionBySlowdown, HasNineTenthsOfAFreshPlanInThreeSecondsAndComesBack) {
  LiveCluster cluster({100, 100}, quick);
  const double before_us = cluster.frame_us(cluster.decision().running());
  cluster.run_for(2 * second);
  cluster.speeds()[1] = GetParam();
  cluster.run_for(3 * second);
  EXPECT_LE(cluster.frame_us(cluster.decision().running()), cluster.frame_us(cluster.fresh_plan()) / 0.9);
  EXPECT_GE(cluster.count("switched"), 1);
  cluster.run_for(3 * second);
  cluster.speeds()[1] = 1;
  cluster.run_for(3 * second);
  EXPECT_LE(cluster.frame_us(cluster.decision().running()), before_us / 0.9);
  EXPECT_EQ(cluster.count("rolled-back"), 0);
  EXPECT_GE(cluster.count("confirmed"), 2);
}

// Forty times as slow, rank 1 is left out, and nothing but its probe says that it is well again.
INSTANTIATE_TEST_SUITE_P(Factors, LiveDecisionBySlowdown, testing::Values(1.4, 2.0, 3.0, 8.0, 40.0));

class LiveDecisionBySlowLink : public testing::TestWithParam<double> {};

TEST_P(LiveDecisionBySlowLink, HasNineTenthsOfAFreshPlanInThreeSecondsAndComesBack) {
  LiveCluster cluster({100, 100, 100}, {.latency_us = 50, .us_per_byte = 0.008});
  const double before_us = cluster.frame_us(cluster.decision().running());
  cluster.run_for(2 * second);
  cluster.slow_links_of(2, GetParam());
  EXPECT_GT(cluster.frame_us(cluster.decision().running()), 1.3 * cluster.frame_us(cluster.fresh_plan()));
  cluster.run_for(3 * second);
  EXPECT_LE(cluster.frame_us(cluster.decision().running()), cluster.frame_us(cluster.fresh_plan()) / 0.9);
  EXPECT_EQ(cluster.count("switched"), 1);
  EXPECT_LE(cluster.links_measured, 3);
  cluster.slow_links_of(2, 1);
  cluster.run_for(30 * second);
  EXPECT_LE(cluster.frame_us(cluster.decision().running()), before_us / 0.9);
  EXPECT_EQ(cluster.count("rolled-back"), 0);
}

INSTANTIATE_TEST_SUITE_P(Times, LiveDecisionBySlowLink, testing::Values(10.0, 100.0, 1000.0));

// Something between the ranks takes longer, and it is not the links.
TEST(LiveDecision, MeasuresLinksInVainLessAndLessOften) {
  LiveCluster cluster({100, 100}, quick);
  cluster.run_for(2 * second);
  for (int i = 0; i < 200; ++i) {
    cluster.surprise = [&](const Plan&) { return i % 2 == 0 ? 2.0 : 1.0; };
    cluster.run_for(1 * second);
  }
  EXPECT_GE(cluster.links_measured, 2);
  EXPECT_LE(cluster.links_measured, 12);
  EXPECT_EQ(cluster.plans_made, 0);
}

// A rank whose core somebody else wants now and then, in a cluster that is best left as it is.
TEST(LiveDecision, PlansOnceForSpeedsThatComeAndGo) {
  LiveCluster cluster({100, 100}, {.latency_us = 20'000, .us_per_byte = 1});
  for (int i = 0; i < 100; ++i) {
    cluster.speeds()[0] = i % 2 == 0 ? 1.3 : 1.0;
    cluster.run_for(1 * second);
  }
  EXPECT_EQ(cluster.count("switched"), 0);
  EXPECT_LE(cluster.plans_made, 3);
}

TEST(LiveDecision, RollsBackWhatTurnsOutSlowerAndThenRests) {
  LiveCluster cluster({100, 100}, quick);
  const Plan first = cluster.decision().running();
  cluster.surprise = [&](const Plan& plan) { return plan.produces == first.produces ? 1.0 : 2.0; };
  cluster.run_for(1 * second);
  cluster.speeds()[1] = 2;
  cluster.run_frames(900);
  EXPECT_EQ(cluster.count("rolled-back"), 1);
  EXPECT_EQ(cluster.decision().running().produces, first.produces);
  cluster.run_frames(9'000);
  EXPECT_LE(cluster.count("rolled-back"), 4);  // rests of 1,000, 2,000, 4,000 frames
  // Speeds that change much end the rest.
  cluster.surprise = [](const Plan&) { return 1.0; };
  cluster.speeds()[1] = 6;
  cluster.run_for(3 * second);
  EXPECT_EQ(cluster.count("confirmed"), 1);
}

TEST(LiveDecision, GivesUpAPlanWhoseReasonIsGone) {
  LiveCluster cluster({100, 100}, quick);
  cluster.run_for(1 * second);
  cluster.speeds()[1] = 3;
  while (cluster.count("planned") == 0) cluster.run_frames(1);
  cluster.decision().give_up("a rank cannot prepare it");
  EXPECT_EQ(cluster.decision().events().back().what, "given-up");
}

// Times of windows vary by 4 %, and one in twenty holds a hiccup of half its length.
TEST(LiveDecision, StaysOnANoisyMachine) {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    std::mt19937 random(seed);
    LiveCluster cluster({100, 130, 100}, quick);
    cluster.noise = [&](double us) {
      const double hiccup = std::uniform_int_distribution(1, 20)(random) == 1 ? 0.5 : 0.0;
      return us * (1 + hiccup + std::normal_distribution(0.0, 0.04)(random));
    };
    cluster.run_frames(10'000);
    EXPECT_LE(cluster.count("rolled-back"), 10) << "seed " << seed;
    EXPECT_LE(cluster.count("switched"), 10) << "seed " << seed;
    EXPECT_LE(cluster.plans_made, 60) << "seed " << seed;
  }
}

TEST(LiveDecision, FollowsASlowdownThroughNoise) {
  std::mt19937 random(7);
  LiveCluster cluster({100, 100}, quick);
  cluster.noise = [&](double us) { return us * (1 + std::normal_distribution(0.0, 0.04)(random)); };
  cluster.run_for(100 * second);  // in which it plans in vain, and less and less often
  for (const double factor : {3.0, 1.0, 1.4, 1.0}) {
    cluster.speeds()[1] = factor;
    cluster.run_for(3 * second);
    EXPECT_LE(cluster.frame_us(cluster.decision().running()), cluster.frame_us(cluster.fresh_plan()) / 0.9) << factor;
  }
}

}  // namespace
}  // namespace strake::partition

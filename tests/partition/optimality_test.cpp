// SPDX-License-Identifier: Apache-2.0
// The default planner against every plan in strips that small networks have: all ways to divide them into segments, all
// cuts, all orders of ranks, rows and then channels from any operator on. Of the fastest, every choice of overlap.

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <numeric>

#include "core/small_graphs.hpp"
#include "partition/planner.hpp"
#include "partition/random_graph.hpp"
#include "partition/strip_clock.hpp"
#include "partition/strip_plan.hpp"
#include "partition/timeline.hpp"

namespace strake::partition {
namespace {

/// The fastest plan for each number of ranks that compute something.
class BruteForce {
 public:
  explicit BruteForce(const CostModel& costs) : costs_(costs) {
    const OpId size = costs.graph().size();
    for (OpId from = -1; from < size; ++from) {
      if (from >= 0 && channel_block(costs.graph(), from) == 0) continue;
      models_.push_back(std::make_unique<StripModel>(costs, from < 0 ? no_channels : from));
    }
    std::vector<int> order(static_cast<std::size_t>(costs.n_ranks()));
    std::iota(order.begin(), order.end(), 0);
    do {
      for (const auto& model : models_) {
        model_ = model.get();
        plan_ = empty_strip_plan(*model_, order);
        ops_.clear();
        for (OpId id = 0; id < size; ++id)
          if (model_->op(id).kind == StripKind::cut) ops_.push_back(id);
        place_whole(0);
      }
    } while (std::next_permutation(order.begin(), order.end()));
    for (Found& found : best_) overlap(found);
  }

  /// Of plans that use so many ranks or fewer.
  [[nodiscard]] double us(int n_used) const {
    double least = std::numeric_limits<double>::infinity();
    for (const Found& found : best_)
      if (found.n_used <= n_used) least = std::min(least, to_plan(*found.model, found.plan, "best").predicted_us);
    return least;
  }

 private:
  struct Found {
    const StripModel* model = nullptr;
    StripPlan plan;
    double us = 0;
    int n_used = 0;
  };

  // Kept for each number of ranks, of which overlap is then tried.
  static constexpr std::size_t most_kept = 30;

  void place_whole(int group) {
    if (group == model_->n_groups()) {
      extend(0);
      return;
    }
    for (int rank = 0; rank < costs_.n_ranks(); ++rank) {
      plan_.home[static_cast<std::size_t>(group)] = rank;
      place_whole(group + 1);
    }
  }

  void extend(std::size_t begin) {
    if (begin == ops_.size()) {
      keep();
      return;
    }
    for (std::size_t end = begin + 1; end <= ops_.size(); ++end) {
      plan_.segments.push_back(
          {{ops_.begin() + static_cast<std::ptrdiff_t>(begin), ops_.begin() + static_cast<std::ptrdiff_t>(end)}, {0}});
      cut(end);
      plan_.segments.pop_back();
    }
  }

  // All ascending cuts of the last segment.
  void cut(std::size_t end) {
    const Index n_rows = model_->op(ops_[end - 1]).n_rows;
    const std::size_t place = plan_.segments.size() - 1;
    if (plan_.segments[place].cuts.size() == plan_.order.size()) {
      plan_.segments[place].cuts.push_back(n_rows);
      extend(end);
      plan_.segments[place].cuts.pop_back();
      return;
    }
    for (Index at = plan_.segments[place].cuts.back(); at <= n_rows; ++at) {
      plan_.segments[place].cuts.push_back(at);
      cut(end);
      plan_.segments[place].cuts.pop_back();
    }
  }

  [[nodiscard]] int n_used() const {
    const Rows rows = rows_of(*model_, plan_);
    int n = 0;
    for (int rank = 0; rank < costs_.n_ranks(); ++rank) {
      bool works = false;
      for (OpId id = 0; id < model_->size(); ++id)
        works = works || (model_->op(id).kind != StripKind::input &&
                          !rows[static_cast<std::size_t>(id)][static_cast<std::size_t>(rank)].empty());
      n += works ? 1 : 0;
    }
    return n;
  }

  void keep() {
    const double us = predict_us(*model_, plan_);
    const int used = n_used();
    double& worst = worst_[used];
    if (worst > 0 && us >= worst) return;
    best_.push_back({model_, plan_, us, used});
    std::size_t n_kept = 0;
    for (const Found& found : best_) n_kept += found.n_used == used ? 1 : 0;
    if (n_kept <= most_kept) return;
    auto slowest = best_.end();
    double next = 0;
    for (auto found = best_.begin(); found != best_.end(); ++found) {
      if (found->n_used != used) continue;
      if (slowest == best_.end() || found->us > slowest->us) {
        if (slowest != best_.end()) next = std::max(next, slowest->us);
        slowest = found;
      } else {
        next = std::max(next, found->us);
      }
    }
    best_.erase(slowest);
    worst = next;
  }

  // Every choice of operators that compute their interior first.
  void overlap(Found& found) const {
    std::vector<OpId> ops;
    for (OpId id = 0; id < found.model->size(); ++id)
      if (found.model->op(id).kind == StripKind::cut && !found.model->op(id).by_channels) ops.push_back(id);
    StripPlan plan = found.plan;
    for (unsigned choice = 1; choice < (1U << ops.size()); ++choice) {
      for (std::size_t i = 0; i < ops.size(); ++i)
        plan.overlap[static_cast<std::size_t>(ops[i])] =
            (choice >> i & 1U) != 0 ? Overlap::interior_first : Overlap::none;
      const double us = predict_us(*found.model, plan);
      if (us >= found.us) continue;
      found.us = us;
      found.plan = plan;
    }
  }

  const CostModel& costs_;
  std::vector<std::unique_ptr<StripModel>> models_;
  const StripModel* model_ = nullptr;
  StripPlan plan_;
  std::vector<OpId> ops_;  // that are cut
  std::vector<Found> best_;
  std::map<int, double> worst_;  // of those kept for a number of ranks, once there are enough
};

Graph chain(int n_convs, Index n_rows, Index channels) {
  Graph graph;
  graph.name = "chain";
  OpId last = test::add_input(graph, {1, 3, n_rows, 8});
  for (int i = 0; i < n_convs; ++i) last = test::add_conv3(graph, last, channels);
  test::add_output(graph, last);
  return graph;
}

Graph residual_block(Index n_rows, Index channels) {
  Graph graph;
  graph.name = "residual";
  const OpId input = test::add_input(graph, {1, 3, n_rows, 8});
  const OpId first = test::add_conv3(graph, input, channels);
  const OpId second = test::add_conv3(graph, first, channels);
  const OpId third = test::add_conv3(graph, second, channels);
  const OpId sum = test::add_op(graph, {third, first}, Binary{.kind = BinaryKind::add, .post_ops = {}});
  test::add_output(graph, sum);
  return graph;
}

/// Ranks up to four times apart; rows cost their share and a part that does not shrink; links from free to slow.
Profile profile_of(test::Random& random, const Graph& graph, int n_ranks, double link_scale) {
  Profile profile{.model = fingerprint(graph), .axis = SplitAxis::rows, .ranks = {}, .links = {}};
  const auto between = [&random](double least, double most) {
    return least + (most - least) * static_cast<double>(test::pick(random, 0, 1000)) / 1000;
  };
  std::vector<double> work;
  for (OpId id = 0; id < graph.size(); ++id) work.push_back(as<Conv>(graph.op(id)) ? between(50, 200) : between(5, 20));
  for (int rank = 0; rank < n_ranks; ++rank) {
    RankProfile one;
    const double slowness = between(1, 4);
    for (OpId id = 0; id < graph.size(); ++id) {
      const Index n_rows = graph.shape(id)[2];
      const double us = slowness * work[static_cast<std::size_t>(id)] * between(0.8, 1.2);
      const double fixed = between(0, 0.3);
      OpCost cost;
      for (Index rows = 1; rows <= n_rows; ++rows) {
        cost.extents.push_back(rows);
        cost.microseconds.push_back(us *
                                    (fixed + (1 - fixed) * static_cast<double>(rows) / static_cast<double>(n_rows)));
      }
      one.ops.push_back(std::move(cost));
      OpCost channels;
      for (Index n = channel_block(graph, id); n > 0 && n <= graph.shape(id)[1]; n += channel_block(graph, id)) {
        channels.extents.push_back(n);
        channels.microseconds.push_back(0.2 + 0.8 * static_cast<double>(n) / static_cast<double>(graph.shape(id)[1]));
      }
      one.channels.push_back(std::move(channels));
    }
    profile.ranks.push_back(std::move(one));
    std::vector<Link>& from = profile.links.emplace_back();
    for (int other = 0; other < n_ranks; ++other) {
      Link link{.latency_us = 10 * link_scale * between(0.5, 1.5),
                .us_per_byte = 0.01 * link_scale * between(0.5, 1.5)};
      link.overhead_us = link.latency_us / 4;
      from.push_back(other == rank ? Link{} : link);
    }
  }
  return profile;
}

struct Case {
  Graph graph;
  int n_ranks = 2;
  double link_scale = 1;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const double link_scale : {0.0, 0.2, 1.0, 3.0}) {
    for (const int n_convs : {1, 2, 3}) all.push_back({chain(n_convs, 6, 4), 2, link_scale});
    all.push_back({chain(4, 4, 32), 2, link_scale});
    all.push_back({chain(6, 3, 4), 2, link_scale});
    all.push_back({residual_block(5, 4), 2, link_scale});
    all.push_back({chain(2, 6, 4), 3, link_scale});
    all.push_back({chain(2, 4, 48), 3, link_scale});
    all.push_back({chain(3, 3, 4), 3, link_scale});
    all.push_back({residual_block(3, 4), 3, link_scale});
  }
  return all;
}

TEST(Optimality, IsWithinOnePercentOfEveryPlanOfAsManyRanksButOnce) {
  unsigned seed = 0;
  std::size_t n_within = 0;
  std::size_t n_within_used = 0;
  for (const Case& one : cases()) {
    ++seed;
    test::Random random(seed);
    const CostModel costs(one.graph, profile_of(random, one.graph, one.n_ranks, one.link_scale));
    const BruteForce all(costs);
    const Plan plan = make_plan(costs, "auto");
    const int n_used = static_cast<int>(working_ranks(one.graph, plan).size());
    const double best = all.us(n_used);
    const double any = all.us(one.n_ranks);
    // In one of the cases three ranks are used, but not in the best way.
    EXPECT_LE(plan.predicted_us, 1.05 * best) << "case " << seed;
    n_within_used += plan.predicted_us <= 1.01 * best ? 1 : 0;
    // A rank must earn 3 %, or it is left out; and one that would earn it is not found in one of the cases.
    EXPECT_LE(plan.predicted_us, 1.06 * any) << "case " << seed;
    n_within += plan.predicted_us <= 1.01 * any ? 1 : 0;
  }
  EXPECT_GE(n_within_used + 1, cases().size());
  EXPECT_GE(n_within + 2, cases().size());
}

}  // namespace
}  // namespace strake::partition

// SPDX-License-Identifier: Apache-2.0
#include "partition/rank_orders.hpp"

#include <gtest/gtest.h>

#include "core/small_graphs.hpp"

namespace strake::partition {
namespace {

using Ranks = std::vector<int>;

class RankOrders : public testing::Test {
 protected:
  RankOrders() { test::add_output(graph_, test::add_conv3(graph_, test::add_input(graph_, {1, 1, 8, 8}), 1)); }

  // Ranks that take so long for the model; links of 1 us.
  void ranks(const std::vector<double>& us) {
    profile_ = {.model = {}, .axis = SplitAxis::rows, .ranks = {}, .links = {}};
    for (const double time : us) {
      profile_.ranks.push_back({.host = {}, .ops = {{}, {.extents = {8}, .microseconds = {time}}}});
      profile_.links.emplace_back(us.size(), Link{1, 0});
    }
  }

  void link(std::size_t a, std::size_t b, double us) { profile_.links[a][b] = profile_.links[b][a] = {us, 0}; }

  CostModel costs() const { return {graph_, profile_}; }

  Graph graph_;
  Profile profile_;
};

TEST_F(RankOrders, LeaveOutTheSlowestOneByOne) {
  ranks({10, 40, 20, 30});
  EXPECT_EQ(rank_sets(costs()), (std::vector<Ranks>{{0, 1, 2, 3}, {0, 2, 3}, {0, 2}}));
}

TEST_F(RankOrders, KeepTheRootAmongEquals) {
  ranks({10, 10, 10});
  EXPECT_EQ(rank_sets(costs()), (std::vector<Ranks>{{0, 1, 2}, {0, 1}}));
}

TEST_F(RankOrders, KeepTwoRanksAndOne) {
  ranks({10, 1000});
  EXPECT_EQ(rank_sets(costs()), (std::vector<Ranks>{{0, 1}}));
  ranks({10});
  EXPECT_EQ(rank_sets(costs()), (std::vector<Ranks>{{0}}));
}

TEST_F(RankOrders, LeaveOutTheWorstConnectedToo) {
  ranks({10, 10, 20});
  link(0, 1, 100);
  link(1, 2, 100);
  EXPECT_EQ(rank_sets(costs()), (std::vector<Ranks>{{0, 1, 2}, {0, 1}, {0, 2}}));
}

TEST_F(RankOrders, StayAsNumberedOverEqualLinks) {
  ranks({10, 10, 20});
  EXPECT_EQ(rank_orders(costs(), {0, 1, 2}), (std::vector<Ranks>{{0, 1, 2}}));
}

TEST_F(RankOrders, AreAllTriedForThreeRanksOverUnequalLinks) {
  ranks({10, 10, 20});
  link(0, 1, 100);
  EXPECT_EQ(rank_orders(costs(), {0, 1, 2}).size(), 6U);
}

TEST_F(RankOrders, TakeTheFastestPathThroughMoreRanks) {
  ranks({10, 10, 10, 10});
  link(0, 1, 100);
  link(1, 2, 100);
  // Rank 1 has one fast link, to rank 3: it stands at an end, beside it.
  const std::vector<Ranks> orders = rank_orders(costs(), {0, 1, 2, 3});
  ASSERT_EQ(orders.size(), 2U);
  EXPECT_EQ(orders[1], (Ranks{0, 2, 3, 1}));
}

TEST_F(RankOrders, PutSlowLinksOfManyRanksToTheEnds) {
  ranks(std::vector<double>(8, 10.0));
  for (const std::size_t other : {0U, 1U, 2U, 4U, 5U, 6U, 7U}) link(3, other, 100);
  const std::vector<Ranks> orders = rank_orders(costs(), {0, 1, 2, 3, 4, 5, 6, 7});
  ASSERT_EQ(orders.size(), 2U);
  EXPECT_EQ(orders[1].front(), 3);
}

}  // namespace
}  // namespace strake::partition

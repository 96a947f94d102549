// SPDX-License-Identifier: Apache-2.0
#include "engine/pooling.hpp"

#include <gtest/gtest.h>

namespace strake::engine {
namespace {

RankProfile rank_of(const char* host, double us) {
  return {.host = host,
          .threads = 1,
          .ops = {{}, {.extents = {4, 8}, .microseconds = {us / 2, us}}},
          .channels = {{}, {.extents = {8, 16}, .microseconds = {us / 4, us}}},
          .whole_us = us,
          .jitter_us = us / 1000};
}

double last_us(const RankProfile& rank) { return rank.ops[1].microseconds[1]; }

TEST(Pooling, GivesAlikeRanksOfAHostTheirMeans) {
  std::vector<RankProfile> ranks{rank_of("a", 104), rank_of("b", 102), rank_of("a", 100)};
  pool_alike(ranks);
  for (const std::size_t rank : {0, 2}) {
    EXPECT_DOUBLE_EQ(ranks[rank].whole_us, 102);
    EXPECT_DOUBLE_EQ(ranks[rank].jitter_us, 0.102);
    EXPECT_DOUBLE_EQ(ranks[rank].ops[1].microseconds[0], 51);
    EXPECT_DOUBLE_EQ(last_us(ranks[rank]), 102);
    EXPECT_DOUBLE_EQ(ranks[rank].channels[1].microseconds[0], 25.5);
  }
  EXPECT_DOUBLE_EQ(last_us(ranks[1]), 102);
  EXPECT_DOUBLE_EQ(ranks[1].whole_us, 102);
}

TEST(Pooling, KeepsWhatIsUnlike) {
  std::vector<RankProfile> ranks{rank_of("a", 100), rank_of("a", 106), rank_of("b", 100), rank_of("a", 300)};
  ranks.push_back(rank_of("a", 100));
  ranks.back().threads = 2;
  ranks.push_back(rank_of("b", 101));
  ranks.back().ops[1].extents = {2, 8};
  const std::vector<RankProfile> before = ranks;
  pool_alike(ranks);
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) EXPECT_EQ(last_us(ranks[rank]), last_us(before[rank]));
}

TEST(Pooling, DividesAChainOfSmallSteps) {
  std::vector<RankProfile> ranks{rank_of("a", 100), rank_of("a", 104), rank_of("a", 108), rank_of("a", 112)};
  pool_alike(ranks);
  EXPECT_DOUBLE_EQ(last_us(ranks[0]), 102);
  EXPECT_DOUBLE_EQ(last_us(ranks[1]), 102);
  EXPECT_DOUBLE_EQ(last_us(ranks[2]), 110);
  EXPECT_DOUBLE_EQ(last_us(ranks[3]), 110);
}

}  // namespace
}  // namespace strake::engine

// SPDX-License-Identifier: Apache-2.0
#include "cli/slowdown_option.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/errors.hpp"

namespace strake::cli {
namespace {

TEST(Slowdowns, AreFactorsByRankSomeForAWhile) {
  std::vector<double> slowdowns{7};
  std::vector<engine::SlowdownChange> changes(3);
  read_slowdowns("1,3,2.5@100:300,1.4@7", slowdowns, changes);
  EXPECT_EQ(slowdowns, (std::vector<double>{1, 3, 1, 1}));
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].rank, 2);
  EXPECT_EQ(changes[0].factor, 2.5);
  EXPECT_EQ(changes[0].begin, 100);
  EXPECT_EQ(changes[0].end, 300);
  EXPECT_EQ(changes[1].rank, 3);
  EXPECT_EQ(changes[1].begin, 7);
  EXPECT_EQ(changes[1].end, std::numeric_limits<int>::max());
}

TEST(Slowdowns, RefuseWhatMakesNoSense) {
  std::vector<double> slowdowns;
  std::vector<engine::SlowdownChange> changes;
  for (const char* text :
       {"", "x", "1,", "0.5", "nan", "2@", "2@:", "2@3:", "2@3:3", "2@-1:4", "2@3:4:5", "2@1.5", "@3", "2@99999999999"})
    EXPECT_THROW(read_slowdowns(text, slowdowns, changes), InvalidInput) << text;
}

}  // namespace
}  // namespace strake::cli

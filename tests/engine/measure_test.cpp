// SPDX-License-Identifier: Apache-2.0
#include "engine/measure.hpp"

#include <gtest/gtest.h>

namespace strake::engine {
namespace {

TEST(Median, IsTheMiddleOrTheMeanOfTheTwoInTheMiddle) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(median({}), 0);
}

TEST(Percentiles, AreNearestRanks) {
  std::vector<double> samples;
  for (int i = 1; i <= 100; ++i) samples.push_back(i);
  const Percentiles p = percentiles(samples);
  EXPECT_EQ(p.p50, 50.5);
  EXPECT_EQ(p.p90, 90);
  EXPECT_EQ(p.p99, 99);
  EXPECT_EQ(p.min, 1);
  EXPECT_EQ(p.max, 100);
  EXPECT_EQ(p.mean, 50.5);
}

TEST(Percentiles, OfOneSampleAreThatSample) {
  const Percentiles p = percentiles({7});
  EXPECT_EQ(p.p50, 7);
  EXPECT_EQ(p.p99, 7);
}

}  // namespace
}  // namespace strake::engine

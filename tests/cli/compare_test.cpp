// SPDX-License-Identifier: Apache-2.0
#include "cli/compare.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace strake::cli {
namespace {

HostTensor tensor(const std::vector<float>& values) {
  return {ElementType::f32, {static_cast<Index>(values.size())}, Blob::copy_of(values)};
}

TEST(Compare, FindsNothingBetweenEqualTensors) {
  const Difference difference = compare(tensor({1, -0.0F, 3}), tensor({1, -0.0F, 3}), {0, 0});
  EXPECT_EQ(difference.differing_bits, 0);
  EXPECT_TRUE(difference.within);
}

TEST(Compare, CountsElementsWhoseBitsDiffer) {
  const Difference difference = compare(tensor({1, 0.0F, 3}), tensor({1, -0.0F, 3.5F}), {.absolute = 1, .relative = 0});
  EXPECT_EQ(difference.differing_bits, 2);
  EXPECT_EQ(difference.largest_absolute, 0.5);
  EXPECT_DOUBLE_EQ(difference.mean_absolute, 0.5 / 3);
  EXPECT_TRUE(difference.within);
}

TEST(Compare, CountsFloatsBetweenNeighboursAcrossZero) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(compare(tensor({tiny}), tensor({-tiny}), {}).largest_ulp, 2);
  EXPECT_EQ(compare(tensor({1.0F}), tensor({std::nextafter(1.0F, 2.0F)}), {}).largest_ulp, 1);
}

TEST(Compare, IsNeverContentWithANanOnOneSide) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(compare(tensor({nan}), tensor({1}), {1e9, 1e9}).within);
  EXPECT_FALSE(compare(tensor({1}), tensor({nan}), {1e9, 1e9}).within);
}

TEST(Compare, CountsNans) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Difference difference = compare(tensor({nan, nan, 1, 2}), tensor({nan, 1, nan, 2}), {});
  EXPECT_EQ(difference.nan_on_both, 1);
  EXPECT_EQ(difference.nan_on_one_side, 2);
  EXPECT_EQ(difference.differing_bits, 2);
  EXPECT_EQ(compare(tensor({nan, 1, 4}), tensor({nan, 1, 2}), {}).mean_absolute, 1);  // of two
  EXPECT_FALSE(difference.within);
  EXPECT_TRUE(compare(tensor({nan, nan}), tensor({nan, -nan}), {0, 0}).within);
}

TEST(Compare, AppliesRelativeAndAbsoluteTolerance) {
  EXPECT_TRUE(compare(tensor({1000.5F}), tensor({1000}), {.absolute = 0, .relative = 1e-3}).within);
  EXPECT_FALSE(compare(tensor({1001.5F}), tensor({1000}), {.absolute = 0, .relative = 1e-3}).within);
}

TEST(Compare, KnowsEveryType) {
  constexpr std::int64_t large = std::int64_t{1} << 60;
  const Difference integers =
      compare(HostTensor::of<std::int64_t>({2}, {large, 3}), HostTensor::of<std::int64_t>({2}, {large + 1, 3}),
              {.absolute = 0, .relative = 0});
  EXPECT_EQ(integers.differing_bits, 1);
  EXPECT_FALSE(integers.within);
  EXPECT_TRUE(compare(HostTensor::of<bool>({1}, {true}), HostTensor::of<bool>({1}, {true}), {}).within);
  const Difference doubles =
      compare(HostTensor::of<double>({1}, {1.0}), HostTensor::of<double>({1}, {std::nextafter(1.0, 2.0)}), {});
  EXPECT_EQ(doubles.largest_ulp, 1);
  EXPECT_EQ(compare(HostTensor::of<double>({1}, {-1e308}), HostTensor::of<double>({1}, {1e308}), {}).largest_ulp,
            std::numeric_limits<std::int64_t>::max());
}

TEST(Compare, FindsUnlikeSizesDifferent) {
  EXPECT_FALSE(compare(tensor({1, 2}), tensor({1}), {1e9, 1e9}).within);
  EXPECT_TRUE(compare(tensor({}), tensor({}), {0, 0}).within);
}

}  // namespace
}  // namespace strake::cli

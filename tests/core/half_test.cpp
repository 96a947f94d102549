// SPDX-License-Identifier: Apache-2.0
#include "core/half.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace strake {
namespace {

TEST(Half, ComesBackFromFloatForEveryBitPattern) {
  for (std::uint32_t bits = 0; bits <= 0xFFFFU; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value)))) << bits;
    } else {
      EXPECT_EQ(float_to_half(value), half) << bits;
    }
  }
}

TEST(Half, HasTheValuesOfIeee754) {
  EXPECT_EQ(half_to_float(0x3C00), 1.0F);
  EXPECT_EQ(half_to_float(0xC000), -2.0F);
  EXPECT_EQ(half_to_float(0x7BFF), 65504.0F);
  EXPECT_EQ(half_to_float(0x0001), std::ldexp(1.0F, -24));
  EXPECT_EQ(half_to_float(0x7C00), std::numeric_limits<float>::infinity());
}

TEST(Half, RoundsToNearestEven) {
  for (std::uint32_t bits = 0; bits < 0x7BFFU; ++bits) {
    const auto below = static_cast<std::uint16_t>(bits);
    const auto above = static_cast<std::uint16_t>(bits + 1);
    const float middle = (half_to_float(below) + half_to_float(above)) / 2;
    EXPECT_EQ(float_to_half(middle), bits % 2 == 0 ? below : above) << bits;
    EXPECT_EQ(float_to_half(std::nextafter(middle, 0.0F)), below) << bits;
    EXPECT_EQ(float_to_half(std::nextafter(middle, 1e9F)), above) << bits;
  }
  EXPECT_EQ(float_to_half(65519.0F), 0x7BFF);
  EXPECT_EQ(float_to_half(65520.0F), 0x7C00);
}

}  // namespace
}  // namespace strake

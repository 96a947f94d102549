// SPDX-License-Identifier: Apache-2.0
#include "core/host_tensor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace strake {
namespace {

constexpr std::array all_types = {ElementType::f32,    ElementType::f64, ElementType::f16, ElementType::bf16,
                                  ElementType::i8,     ElementType::i16, ElementType::i32, ElementType::i64,
                                  ElementType::u8,     ElementType::u16, ElementType::u32, ElementType::u64,
                                  ElementType::boolean};

TEST(HostTensor, KeepsSmallNumbersInEveryType) {
  const HostTensor numbers = HostTensor::of<float>({2, 2}, {0, 1, 1, 0});
  for (const ElementType type : all_types) {
    const HostTensor other = converted(numbers, type);
    EXPECT_EQ(other.data.size_bytes(), 4 * size_of(type));
    EXPECT_EQ(number_at(other, 1), 1) << to_string(type);
    const HostTensor back = converted(other, ElementType::f32);
    EXPECT_TRUE(std::equal(numbers.view<float>().begin(), numbers.view<float>().end(), back.view<float>().begin()));
  }
}

TEST(HostTensor, MayBeEmpty) {
  for (const ElementType type : all_types) {
    const HostTensor none = converted(HostTensor::of<float>({3, 0}, {}), type);
    EXPECT_EQ(none.size(), 0);
    EXPECT_EQ(none.shape, (Shape{3, 0}));
  }
}

TEST(NumberCast, ClampsWhatAnIntegerCannotHold) {
  EXPECT_EQ((number_cast<std::int8_t>(300.0F)), 127);
  EXPECT_EQ((number_cast<std::int8_t>(-300.0)), -128);
  EXPECT_EQ((number_cast<std::uint8_t>(-1.0F)), 0);
  EXPECT_EQ((number_cast<std::int64_t>(1e30)), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ((number_cast<std::uint64_t>(18446744073709551616.0)), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ((number_cast<std::int32_t>(std::nan(""))), 0);
  EXPECT_EQ((number_cast<std::int32_t>(-2.9F)), -2);
  EXPECT_EQ((number_cast<std::uint8_t>(std::int32_t{257})), 1);
  EXPECT_TRUE((number_cast<bool>(0.25F)));
  EXPECT_FALSE((number_cast<bool>(Half(-0.0F))));
}

TEST(NumberCast, RoundsOnceFromDoubleToSixteenBits) {
  // Just above the middle of two halves: a float in between would lie exactly in the middle and round to even.
  const double above_middle = 1.0 + std::ldexp(1.0, -11) + std::ldexp(1.0, -40);
  EXPECT_EQ(float(Half(above_middle)), 1.0F + std::ldexp(1.0F, -10));
  EXPECT_EQ(float(Half(1.0 + std::ldexp(1.0, -11))), 1.0F);
  EXPECT_EQ(float(BFloat(1.0 + std::ldexp(1.0, -8) + std::ldexp(1.0, -40))), 1.0F + std::ldexp(1.0F, -7));
  EXPECT_TRUE(std::isinf(float(Half(1e300))));
}

TEST(BFloat, ComesBackFromFloatForEveryBitPattern) {
  for (std::uint32_t bits = 0; bits <= 0xFFFFU; ++bits) {
    const auto small = static_cast<std::uint16_t>(bits);
    const float value = bfloat_to_float(small);
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(bfloat_to_float(float_to_bfloat(value)))) << bits;
    else
      EXPECT_EQ(float_to_bfloat(value), small) << bits;
  }
}

}  // namespace
}  // namespace strake

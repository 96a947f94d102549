// SPDX-License-Identifier: Apache-2.0
#include "conformance/agreement.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace strake::conformance {
namespace {

template <class T>
HostTensor tensor(ElementType type, const std::vector<T>& values) {
  HostTensor result{.type = type, .shape = {static_cast<Index>(values.size())}, .data = {}};
  result.data = Blob::allocate(values.size() * sizeof(T));
  std::memcpy(result.data.data(), values.data(), values.size() * sizeof(T));
  return result;
}

HostTensor floats(const std::vector<float>& values) { return tensor(ElementType::f32, values); }

TEST(Agreement, AllowsAThousandthOfTheExpectedValue) {
  EXPECT_EQ(disagreement(floats({1, -1000, 0}), floats({1.0009F, -1000.9F, 0})), "");
  EXPECT_EQ(disagreement(floats({1, 5}), floats({1, 5.01F})), "element 1 is 5 instead of 5.01, and 1 of 2 differ");
  EXPECT_NE(disagreement(floats({1e-6F}), floats({0})), "");
}

TEST(Agreement, TellsNoNumbersAndInfinitiesFromNumbers) {
  const float nan = std::nanf("");
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(disagreement(floats({nan, infinity, -infinity}), floats({nan, infinity, -infinity})), "");
  EXPECT_NE(disagreement(floats({nan}), floats({1})), "");
  EXPECT_NE(disagreement(floats({1}), floats({nan})), "");
  EXPECT_NE(disagreement(floats({infinity}), floats({-infinity})), "");
  EXPECT_NE(disagreement(floats({1}), floats({infinity})), "");
}

TEST(Agreement, AllowsNothingForIntegers) {
  const auto large = std::int64_t{1} << 60;
  EXPECT_EQ(disagreement(tensor<std::int64_t>(ElementType::i64, {large}), tensor(ElementType::i64, std::vector{large})),
            "");
  EXPECT_NE(
      disagreement(tensor(ElementType::i64, std::vector{large}), tensor(ElementType::i64, std::vector{large + 1})), "");
}

TEST(Agreement, ReadsHalfFloats) {
  // 1 and 1 + 2^-9 are two steps apart, 1 and 1.0625 are 64.
  const auto halves = [](std::uint16_t bits) { return tensor(ElementType::f16, std::vector{bits}); };
  EXPECT_EQ(disagreement(halves(0x3C00), halves(0x3C02)), "");
  EXPECT_NE(disagreement(halves(0x3C00), halves(0x3C40)), "");
}

TEST(Agreement, WantsEqualTypesAndShapes) {
  HostTensor column = floats({1, 2});
  column.shape = {2, 1};
  EXPECT_EQ(disagreement(floats({1, 2}), column), "float32 2 instead of float32 2x1");
  EXPECT_EQ(disagreement(floats({1}), tensor(ElementType::i32, std::vector<std::int32_t>{1})),
            "float32 1 instead of int32 1");
}

}  // namespace
}  // namespace strake::conformance

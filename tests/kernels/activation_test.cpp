// SPDX-License-Identifier: Apache-2.0
#include "kernels/activation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/slab_runner.hpp"

namespace strake::kernels {
namespace {

using namespace test;

TEST(Activation, ExponentialIsWithinTwoUlp) {
  for (float x = -87; x < 88.5F; x += 0.00731F) {
    const double exact = std::exp(static_cast<double>(x));
    const auto rounded = static_cast<float>(exact);
    const double ulp = std::nextafter(rounded, std::numeric_limits<float>::infinity()) - rounded;
    ASSERT_NEAR(fast_exp(x), exact, 2 * ulp) << x;
  }
}

TEST(Activation, StaysInsideItsRangeForHugeArguments) {
  const Values huge = {-1e30F, -1000, -89, 89, 1000, 1e30F};
  Values out(huge.size());
  apply({.kind = ActivationKind::sigmoid}, huge.data(), out.data(), static_cast<Index>(huge.size()));
  for (std::size_t i = 0; i < huge.size(); ++i) EXPECT_NEAR(out[i], i < 3 ? 0 : 1, 1e-30);
  apply({.kind = ActivationKind::tanh}, huge.data(), out.data(), static_cast<Index>(huge.size()));
  for (std::size_t i = 0; i < huge.size(); ++i) EXPECT_EQ(out[i], i < 3 ? -1 : 1);
}

TEST(Activation, GivesACellTheSameBitsWhereverItStandsInALoop) {
  Random random(51);
  const Values in = random_values(random, {67}, -6, 6);
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::atanh); ++kind) {
    const Activation function{.kind = static_cast<ActivationKind>(kind), .alpha = 0.3F, .beta = 1.5F};
    Values magnitudes = in;
    for (float& value : magnitudes) value = std::abs(value) + 0.1F;
    Values together(in.size());
    apply(function, magnitudes.data(), together.data(), static_cast<Index>(in.size()));
    Values alone(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) apply(function, &magnitudes[i], &alone[i], 1);
    EXPECT_EQ(differing_bits(together, alone), 0U) << "activation " << kind;
  }
}

}  // namespace
}  // namespace strake::kernels

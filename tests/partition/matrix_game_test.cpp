// SPDX-License-Identifier: Apache-2.0
#include "partition/matrix_game.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/random.hpp"

namespace strake::partition {
namespace {

double gain(const std::vector<double>& weights, const std::vector<double>& column) {
  return std::inner_product(weights.begin(), weights.end(), column.begin(), 0.0);
}

// Odds and evens of one and two: the first player plays "one" 7 times out of 12 and gains 1/12; 5 more everywhere.
TEST(MatrixGame, SolvesOddsAndEvens) {
  const GameSolution solution = solve_game({{5 - 2, 5 + 3}, {5 + 3, 5 - 4}});
  EXPECT_NEAR(solution.value, 5 + 1.0 / 12, 1e-9);
  EXPECT_NEAR(solution.weights[0], 7.0 / 12, 1e-9);
  EXPECT_NEAR(solution.weights[1], 5.0 / 12, 1e-9);
}

TEST(MatrixGame, TakesTheBestRowAgainstASingleColumn) {
  const GameSolution solution = solve_game({{1, 4, 3}});
  EXPECT_NEAR(solution.value, 4, 1e-9);
  EXPECT_NEAR(solution.weights[1], 1, 1e-9);
}

TEST(MatrixGame, SurvivesAMatrixOfZeros) { EXPECT_NEAR(solve_game({{0, 0}, {0, 0}}).value, 0, 1e-12); }

// No weights on a grid gain more, and the weights found gain what is said.
TEST(MatrixGame, IsBestOfAllWeights) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    test::Random random(seed);
    std::vector<std::vector<double>> columns(at(test::pick(random, 1, 6)));
    for (std::vector<double>& column : columns)
      for (int row = 0; row < 3; ++row) column.push_back(static_cast<double>(test::pick(random, 0, 100)));
    const auto worst = [&](const std::vector<double>& weights) {
      double least = 1e9;
      for (const std::vector<double>& column : columns) least = std::min(least, gain(weights, column));
      return least;
    };
    const GameSolution solution = solve_game(columns);
    EXPECT_NEAR(worst(solution.weights), solution.value, 1e-6) << "seed " << seed;
    constexpr int steps = 40;
    for (int a = 0; a <= steps; ++a)
      for (int b = 0; a + b <= steps; ++b) {
        const std::vector<double> weights = {a / double{steps}, b / double{steps}, (steps - a - b) / double{steps}};
        EXPECT_LE(worst(weights), solution.value + 1e-6) << "seed " << seed;
      }
  }
}

}  // namespace
}  // namespace strake::partition

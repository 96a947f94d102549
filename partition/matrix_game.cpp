// SPDX-License-Identifier: Apache-2.0
#include "partition/matrix_game.hpp"

#include <algorithm>
#include <numeric>

namespace strake::partition {

namespace {

using Row = std::vector<double>;

constexpr double pivot_rounding = 1e-12;
// Dantzig's rule is fast but may go round in circles; Bland's, which takes over, does not.
constexpr std::size_t most_fast_pivots = 500;
constexpr std::size_t most_pivots = 5000;

/// max sum(q) with M q <= 1, q >= 0: its dual are the weights, divided by the value of the game.
class Tableau {
 public:
  Tableau(const std::vector<Row>& columns, double scale) : n_rows_(columns.front().size()), n_columns_(columns.size()) {
    for (std::size_t i = 0; i < n_rows_; ++i) {
      Row& row = rows_.emplace_back(n_columns_ + n_rows_ + 1);
      // Above 0 throughout, so that the value of the game is, too.
      for (std::size_t k = 0; k < n_columns_; ++k) row[k] = columns[k][i] / scale + 1;
      row[n_columns_ + i] = 1;
      row.back() = 1;
    }
    objective_.assign(n_columns_ + n_rows_ + 1, 0);
    std::fill_n(objective_.begin(), n_columns_, -1.0);
  }

  GameSolution solve(double scale) {
    for (std::size_t i = 0; i < most_pivots; ++i)
      if (!improve(i < most_fast_pivots)) break;
    GameSolution solution;
    for (std::size_t i = 0; i < n_rows_; ++i) solution.weights.push_back(std::max(objective_[n_columns_ + i], 0.0));
    const double sum = std::accumulate(solution.weights.begin(), solution.weights.end(), 0.0);
    for (double& weight : solution.weights) weight = sum > 0 ? weight / sum : 1 / static_cast<double>(n_rows_);
    if (objective_.back() > 0) solution.value = (1 / objective_.back() - 1) * scale;
    return solution;
  }

 private:
  bool improve(bool fast) {
    std::size_t entering = objective_.size() - 1;
    double least = -pivot_rounding;
    for (std::size_t k = 0; k + 1 < objective_.size(); ++k) {
      if (objective_[k] >= least) continue;
      entering = k;
      if (!fast) break;
      least = objective_[k];
    }
    if (entering + 1 == objective_.size()) return false;
    std::size_t leaving = n_rows_;
    for (std::size_t i = 0; i < n_rows_; ++i) {
      if (rows_[i][entering] <= pivot_rounding) continue;
      if (leaving == n_rows_ || rows_[i].back() * rows_[leaving][entering] < rows_[leaving].back() * rows_[i][entering])
        leaving = i;
    }
    if (leaving == n_rows_) return false;
    pivot(leaving, entering);
    return true;
  }

  void pivot(std::size_t leaving, std::size_t entering) {
    Row& row = rows_[leaving];
    const double by = row[entering];
    for (double& value : row) value /= by;
    const auto clear = [&](Row& other) {
      const double factor = other[entering];
      if (factor == 0) return;
      for (std::size_t k = 0; k < other.size(); ++k) other[k] -= factor * row[k];
    };
    for (std::size_t i = 0; i < n_rows_; ++i)
      if (i != leaving) clear(rows_[i]);
    clear(objective_);
  }

  std::size_t n_rows_;
  std::size_t n_columns_;
  std::vector<Row> rows_;  // columns, slacks, right side
  Row objective_;
};

}  // namespace

GameSolution solve_game(const std::vector<std::vector<double>>& columns) {
  double scale = 0;
  for (const Row& column : columns) scale = std::max(scale, *std::max_element(column.begin(), column.end()));
  if (scale <= 0) scale = 1;
  return Tableau(columns, scale).solve(scale);
}

}  // namespace strake::partition

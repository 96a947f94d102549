// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Two-person zero-sum games given by a matrix.

#include <vector>

namespace strake::partition {

struct GameSolution {
  std::vector<double> weights;  // of the rows: not negative, together 1
  double value = 0;             // what these weights gain against the best answer, but for rounding
};

/// The mixed strategy of the rows that gains most against the column which is worst for it, by the simplex method.
/// @param columns  [column][row]: what the row gains, 0 or more; at least one column and one row
[[nodiscard]] GameSolution solve_game(const std::vector<std::vector<double>>& columns);

}  // namespace strake::partition

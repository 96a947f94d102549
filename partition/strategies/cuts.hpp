// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Cuts by rule, which the strategies share.

#include "partition/strip_plan.hpp"

namespace strake::partition {

/// Even strips, every rank with work where there are rows.
[[nodiscard]] std::vector<Index> even_cuts(Index n_rows, int n_ranks);

/// Strips in proportion to `weights`, rounded to rows.
[[nodiscard]] std::vector<Index> proportional_cuts(Index n_rows, const std::vector<double>& weights);

/// Every map that can be cut, each by itself, in proportion to `weights`: [position of `order`].
[[nodiscard]] StripPlan proportional_plan(const StripModel& model, std::vector<int> order,
                                          const std::vector<double>& weights);

/// The same parts of another map as `like` of its own, rounded to rows.
[[nodiscard]] std::vector<Index> scaled_cuts(Index n_rows, std::vector<Index> like);

/// All rows for one position.
[[nodiscard]] std::vector<Index> cuts_for(Index n_rows, std::size_t position, std::size_t n_positions);

/// One over the time of the whole model on each rank, at its live factor. [rank]
[[nodiscard]] std::vector<double> throughputs(const StripModel& model);

/// Ranks 0, 1, ...: everybody takes part.
[[nodiscard]] std::vector<int> all_ranks(int n_ranks);

}  // namespace strake::partition

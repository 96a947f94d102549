// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Strategies to compare with.

#include "partition/strip_plan.hpp"

namespace strake::partition {

/// Even strips, every rank with work where there are rows.
[[nodiscard]] std::vector<Index> even_cuts(Index n_rows, int n_ranks);

/// Strips in proportion to `weights`, rounded to rows.
[[nodiscard]] std::vector<Index> proportional_cuts(Index n_rows, const std::vector<double>& weights);

/// One over the time of the whole model on each rank, at its live factor. [rank]
[[nodiscard]] std::vector<double> throughputs(const StripModel& model);

/// Ranks 0, 1, ...: everybody takes part.
[[nodiscard]] std::vector<int> all_ranks(int n_ranks);

/// Every map cut in proportion to throughput; what cannot be cut on rank 0.
[[nodiscard]] StripPlan plan_proportional(const StripModel& model);

/// The same with even strips.
[[nodiscard]] StripPlan plan_equal(const StripModel& model);

/// Everything on the rank with which a frame is done first.
[[nodiscard]] StripPlan plan_single(const StripModel& model);

/// EdgeDI's heuristic (ACM Transactions on Internet Technology 23(1), 2023) and its predecessor EdgeLD's (HPCC 2020).
/// Blocks of fused layers end where the graph can be divided and the map changes its size. In each block, cuts start in
/// proportion to throughput, a device costs a * FLOPs + b + upload + download, and one row at a time moves from the
/// slowest device to the fastest while that shrinks the gap between them; every device keeps a row. What differs from
/// the papers: a and b are fitted to the profile, and rows go straight to who needs them instead of through the leader.
[[nodiscard]] StripPlan plan_published(const StripModel& model);

}  // namespace strake::partition

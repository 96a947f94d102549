// SPDX-License-Identifier: Apache-2.0
#pragma once
/// OODP, exact: the least makespan over all cuts of one axis into consecutive, possibly empty intervals.

#include <functional>
#include <vector>

#include "core/interval.hpp"

namespace strake::partition {

/// Microseconds of a rank for a non-empty interval of rows; infinity where it cannot.
using StripCost = std::function<double(int rank, Interval rows)>;

struct OodpResult {
  std::vector<Interval> strips;  // [rank]; empty for ranks that are left out
  double makespan_us = 0;
};

/// Divides [0, cuts.back()) among ranks in their order, at the given cuts only (ascending, from 0). Of all divisions
/// with the least makespan the one with the least total busy time, of those the one with the fewest ranks, of those the
/// one with the smallest cuts: the answer is unique. Looks `cost` up O(n_ranks * cuts^2) times. Source:
/// docs/planning.md; the problem is that of EdgeDI, ACM TOIT 23(1), 2023.
/// @throws InvalidInput if no division has a finite cost
[[nodiscard]] OodpResult oodp(int n_ranks, const std::vector<Index>& cuts, const StripCost& cost);

/// The same at every row. Beyond 128 rows first at multiples of some rows, then at every row around the cuts found.
[[nodiscard]] OodpResult oodp(int n_ranks, Index rows, const StripCost& cost);

}  // namespace strake::partition

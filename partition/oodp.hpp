// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The exact division of rows among ranks by dynamic programming (OODP): see docs/planning.md.

#include <functional>
#include <vector>

#include "core/interval.hpp"

namespace strake::partition {

/// T_r(s, e): microseconds of rank `r` (by position) for the rows [s, e), which are never empty here; infinite where
/// it cannot have them.
using IntervalCost = std::function<double(int position, Index begin, Index end)>;

struct Division {
  std::vector<Index> cuts;  // of positions + 1 entries: position p owns [cuts[p], cuts[p + 1]), perhaps nothing
  double makespan_us = 0;   // of the slowest position
  double busy_us = 0;       // of all together
  int n_used = 0;           // positions that own something
};

/// The division of [0, candidates.back()) among `n_positions` ranks with the least makespan; among those with the least
/// total busy time, then with the fewest ranks, then with the smallest cuts: the answer is unique.
/// Cuts are taken from `candidates` only. O(positions * candidates^2) calls of `cost`.
/// @param candidates  ascending, from 0 to the number of rows
/// @throws Bug if every division is infinite
[[nodiscard]] Division oodp(int n_positions, const std::vector<Index>& candidates, const IntervalCost& cost);

/// The same over every row, with fewer calls: cuts that no division of the least makespan can have are left out.
/// Where that would still take more than `most_calls`, first over cuts on a grid, then over every row around the cuts
/// found; exact otherwise.
/// @param at_least  never above `cost`, and never less for an interval than for one within it
[[nodiscard]] Division oodp(int n_positions, Index n_rows, const IntervalCost& cost, const IntervalCost& at_least,
                            double most_calls);

}  // namespace strake::partition

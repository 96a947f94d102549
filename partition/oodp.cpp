// SPDX-License-Identifier: Apache-2.0
#include "partition/oodp.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <tuple>

#include "core/errors.hpp"

namespace strake::partition {

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

/// Least (busy time, number of ranks) of some positions together.
struct Burden {
  double busy_us = infinite;
  int n_used = 0;
  [[nodiscard]] auto key() const { return std::tie(busy_us, n_used); }
};

/// Both passes, from the last position to the first, so that the cuts can then be read off in ascending order.
class Solver {
 public:
  Solver(int n_positions, const std::vector<Index>& candidates, const IntervalCost& cost)
      : n_positions_(n_positions), candidates_(candidates), n_(candidates.size()) {
    costs_.resize(static_cast<std::size_t>(n_positions) * n_ * n_, infinite);
    for (int p = 0; p < n_positions; ++p)
      for (std::size_t s = 0; s < n_; ++s)
        for (std::size_t e = s + 1; e < n_; ++e) cost_of(p, s, e) = cost(p, candidates[s], candidates[e]);
  }

  Division solve() {
    Division division;
    division.makespan_us = least_makespan();
    ensure(division.makespan_us < infinite, "some rank can take any rows");
    const std::vector<Burden> best = least_burden(division.makespan_us);
    division.busy_us = best.front().busy_us;
    division.n_used = best.front().n_used;
    read_cuts(best, division);
    return division;
  }

 private:
  double& cost_of(int p, std::size_t s, std::size_t e) {
    return costs_[(static_cast<std::size_t>(p) * n_ + s) * n_ + e];
  }

  // D[s] at position p: the least makespan of positions p and above for the candidates from s to the last.
  double least_makespan() {
    std::vector<double> behind(n_, infinite);
    behind.back() = 0;
    for (int p = n_positions_ - 1; p >= 0; --p) {
      std::vector<double> here = behind;
      for (std::size_t s = 0; s < n_; ++s)
        for (std::size_t e = s + 1; e < n_; ++e) here[s] = std::min(here[s], std::max(cost_of(p, s, e), behind[e]));
      behind = std::move(here);
    }
    return behind.front();
  }

  // The burden of position p with candidates [s, e) and of those behind it.
  Burden with(int p, std::size_t s, std::size_t e, const Burden& behind, double makespan) {
    if (s == e) return behind;
    const double us = cost_of(p, s, e);
    if (us > makespan) return {};
    return {us + behind.busy_us, 1 + behind.n_used};
  }

  // [position][s], one position more than there are.
  std::vector<Burden> least_burden(double makespan) {
    std::vector<Burden> best((static_cast<std::size_t>(n_positions_) + 1) * n_);
    best.back() = {0, 0};
    for (int p = n_positions_ - 1; p >= 0; --p) {
      Burden* here = &best[static_cast<std::size_t>(p) * n_];
      const Burden* behind = here + n_;
      for (std::size_t s = 0; s < n_; ++s)
        for (std::size_t e = s; e < n_; ++e) {
          const Burden one = with(p, s, e, behind[e], makespan);
          if (one.key() < here[s].key()) here[s] = one;
        }
    }
    return best;
  }

  // At each position the smallest end that reaches the optimum: sums are made in the same order, so they are equal.
  void read_cuts(const std::vector<Burden>& best, Division& division) {
    std::size_t s = 0;
    division.cuts = {candidates_.front()};
    for (int p = 0; p < n_positions_; ++p) {
      const Burden* here = &best[static_cast<std::size_t>(p) * n_];
      std::size_t e = s;
      while (with(p, s, e, here[n_ + e], division.makespan_us).key() != here[s].key()) ++e;
      division.cuts.push_back(candidates_[e]);
      s = e;
    }
  }

  int n_positions_;
  const std::vector<Index>& candidates_;
  std::size_t n_;
  std::vector<double> costs_;  // [position][s][e], by candidate
};

std::vector<Index> grid(Index n_rows, Index step) {
  std::vector<Index> rows;
  for (Index row = 0; row < n_rows; row += step) rows.push_back(row);
  rows.push_back(n_rows);
  return rows;
}

}  // namespace

Division oodp(int n_positions, const std::vector<Index>& candidates, const IntervalCost& cost) {
  return Solver(n_positions, candidates, cost).solve();
}

Division oodp(int n_positions, Index n_rows, const IntervalCost& cost, double most_calls) {
  const double most_rows = std::max(std::sqrt(2 * most_calls / n_positions), 8.0);
  const auto step = static_cast<Index>(std::ceil(static_cast<double>(n_rows) / most_rows));
  if (step <= 1) return oodp(n_positions, grid(n_rows, 1), cost);
  const Division coarse = oodp(n_positions, grid(n_rows, step), cost);
  std::set<Index> near = {0, n_rows};
  for (const Index cut : coarse.cuts)
    for (Index row = std::max<Index>(cut - step, 0); row <= std::min(cut + step, n_rows); ++row) near.insert(row);
  return oodp(n_positions, std::vector<Index>(near.begin(), near.end()), cost);
}

}  // namespace strake::partition

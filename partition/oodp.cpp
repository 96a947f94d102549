// SPDX-License-Identifier: Apache-2.0
#include "partition/oodp.hpp"

#include <algorithm>
#include <limits>
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

using Cuts = std::vector<Index>;  // rows at which one cut may lie, ascending

/// Both passes, from the last position to the first, so that the cuts can then be read off in ascending order.
class Solver {
 public:
  /// @param cuts  [position]: where its rows may begin, and at last where all end
  Solver(const std::vector<Cuts>& cuts, const IntervalCost& cost) : n_positions_(cuts.size() - 1), cuts_(cuts) {
    for (std::size_t p = 0; p < n_positions_; ++p) {
      std::vector<double>& costs = costs_.emplace_back(cuts[p].size() * cuts[p + 1].size(), infinite);
      for (std::size_t s = 0; s < cuts[p].size(); ++s)
        for (std::size_t e = 0; e < cuts[p + 1].size(); ++e)
          if (cuts[p][s] < cuts[p + 1][e])
            costs[s * cuts[p + 1].size() + e] = cost(static_cast<int>(p), cuts[p][s], cuts[p + 1][e]);
    }
  }

  Division solve() {
    Division division;
    division.makespan_us = least_makespan();
    ensure(division.makespan_us < infinite, "some rank can take any rows");
    const std::vector<std::vector<Burden>> best = least_burden(division.makespan_us);
    division.busy_us = best.front().front().busy_us;
    division.n_used = best.front().front().n_used;
    read_cuts(best, division);
    return division;
  }

 private:
  // Of position p from its cut s to the next one's e, both by their places in the lists; nothing where it has no rows.
  [[nodiscard]] double cost_of(std::size_t p, std::size_t s, std::size_t e) const {
    return cuts_[p][s] == cuts_[p + 1][e] ? 0 : costs_[p][s * cuts_[p + 1].size() + e];
  }

  // D[s] at position p: the least makespan of positions p and above for the rows from cut s to the last.
  [[nodiscard]] double least_makespan() const {
    std::vector<double> behind = {0};
    for (std::size_t p = n_positions_; p-- > 0;) {
      std::vector<double> here(cuts_[p].size(), infinite);
      for (std::size_t s = 0; s < here.size(); ++s)
        for (std::size_t e = 0; e < behind.size(); ++e)
          here[s] = std::min(here[s], std::max(cost_of(p, s, e), behind[e]));
      behind = std::move(here);
    }
    return behind.front();
  }

  // The burden of position p with the rows of cuts [s, e) and of those behind it.
  [[nodiscard]] Burden with(std::size_t p, std::size_t s, std::size_t e, const Burden& behind, double makespan) const {
    if (cuts_[p][s] == cuts_[p + 1][e]) return behind;
    const double us = cost_of(p, s, e);
    if (us > makespan) return {};
    return {us + behind.busy_us, 1 + behind.n_used};
  }

  // [position][s], one position more than there are.
  [[nodiscard]] std::vector<std::vector<Burden>> least_burden(double makespan) const {
    std::vector<std::vector<Burden>> best;
    for (const Cuts& cuts : cuts_) best.emplace_back(cuts.size());
    best.back().back() = {0, 0};
    for (std::size_t p = n_positions_; p-- > 0;)
      for (std::size_t s = 0; s < cuts_[p].size(); ++s)
        for (std::size_t e = 0; e < cuts_[p + 1].size(); ++e) {
          const Burden one = with(p, s, e, best[p + 1][e], makespan);
          if (one.key() < best[p][s].key()) best[p][s] = one;
        }
    return best;
  }

  // At each position the smallest end that reaches the optimum: sums are made in the same order, so they are equal.
  void read_cuts(const std::vector<std::vector<Burden>>& best, Division& division) const {
    std::size_t s = 0;
    division.cuts = {cuts_.front().front()};
    for (std::size_t p = 0; p < n_positions_; ++p) {
      std::size_t e = 0;
      while (with(p, s, e, best[p + 1][e], division.makespan_us).key() != best[p][s].key()) ++e;
      division.cuts.push_back(cuts_[p + 1][e]);
      s = e;
    }
  }

  std::size_t n_positions_;
  const std::vector<Cuts>& cuts_;
  std::vector<std::vector<double>> costs_;  // [position][s][e], by their places in the lists
};

/// Where the cuts of divisions within some makespan may lie, by costs that grow with their intervals: the first p ranks
/// come no farther than each taking all that it can, and the last ones no nearer.
class Reach {
 public:
  Reach(int n_positions, Index n_rows, const IntervalCost& at_least)
      : n_positions_(n_positions), n_rows_(n_rows), at_least_(at_least) {}

  /// [cut]: the farthest row. All rows are within reach where the last is their number.
  [[nodiscard]] std::vector<Index> farthest(double makespan) const {
    std::vector<Index> cuts = {0};
    for (int p = 0; p < n_positions_; ++p) {
      const Index begin = cuts.back();
      Index within = begin;
      for (Index beyond = n_rows_ + 1; beyond - within > 1;) {
        const Index end = within + (beyond - within) / 2;
        (at_least_(p, begin, end) <= makespan ? within : beyond) = end;
      }
      cuts.push_back(within);
    }
    return cuts;
  }

  /// [cut]: the nearest row.
  [[nodiscard]] std::vector<Index> nearest(double makespan) const {
    std::vector<Index> cuts = {n_rows_};
    for (int p = n_positions_ - 1; p >= 0; --p) {
      const Index end = cuts.back();
      Index within = end;
      for (Index beyond = -1; within - beyond > 1;) {
        const Index begin = beyond + (within - beyond) / 2;
        (at_least_(p, begin, end) <= makespan ? within : beyond) = begin;
      }
      cuts.push_back(within);
    }
    std::reverse(cuts.begin(), cuts.end());
    return cuts;
  }

 private:
  int n_positions_;
  Index n_rows_;
  const IntervalCost& at_least_;
};

// Makespans are narrowed down to this, and by so many halvings at most. The rest is done exactly.
constexpr double near_enough = 1.005;
constexpr int most_halvings = 24;

// Of a division that is close to the best; infinite where none is found.
double good_makespan(const Reach& reach, int n_positions, Index n_rows, const IntervalCost& cost,
                     const IntervalCost& at_least) {
  double most = infinite;
  for (int p = 0; p < n_positions; ++p) most = std::min(most, at_least(p, 0, n_rows));
  if (most == infinite) return infinite;
  double least = 0;
  for (int i = 0; i < most_halvings && most > least * near_enough; ++i) {
    const double middle = least + (most - least) / 2;
    (reach.farthest(middle).back() == n_rows ? most : least) = middle;
  }
  const std::vector<Index> cuts = reach.farthest(most);
  double makespan = 0;
  for (int p = 0; p < n_positions; ++p) {
    const Index begin = cuts[static_cast<std::size_t>(p)];
    const Index end = cuts[static_cast<std::size_t>(p) + 1];
    if (begin < end) makespan = std::max(makespan, cost(p, begin, end));
  }
  return makespan;
}

// Rows of an interval at a distance of `step`, its ends among them.
Cuts grid(Interval rows, Index step) {
  Cuts cuts;
  cuts.reserve(static_cast<std::size_t>((rows.end - rows.begin) / step + 2));
  for (Index row = rows.begin; row < rows.end; row += step) cuts.push_back(row);
  cuts.push_back(rows.end);
  return cuts;
}

// Pairs of cuts on such grids.
double n_calls(const std::vector<Interval>& windows, Index step) {
  const auto n_cuts = [step](Interval rows) {
    const Index n = (rows.end - rows.begin) / step + 2;
    return static_cast<double>(n);
  };
  double n = 0;
  for (std::size_t p = 0; p + 1 < windows.size(); ++p) n += n_cuts(windows[p]) * n_cuts(windows[p + 1]);
  return n;
}

// To look for bounds takes about as many calls.
constexpr double few_calls = 2000;

// [cut]: from its first to its last row.
std::vector<Interval> windows_of_cuts(int n_positions, Index n_rows, const IntervalCost& cost,
                                      const IntervalCost& at_least) {
  std::vector<Interval> windows(static_cast<std::size_t>(n_positions) + 1, Interval{0, n_rows});
  windows.front().end = 0;
  windows.back().begin = n_rows;
  const auto rows = static_cast<double>(n_rows);
  if (n_positions * rows * rows / 2 <= few_calls) return windows;
  const Reach reach(n_positions, n_rows, at_least);
  const double makespan = good_makespan(reach, n_positions, n_rows, cost, at_least);
  if (makespan == infinite) return windows;
  // Sums that are equal may be rounded differently.
  constexpr double rounding = 1 + 1e-9;
  const std::vector<Index> nearest = reach.nearest(makespan * rounding);
  const std::vector<Index> farthest = reach.farthest(makespan * rounding);
  for (std::size_t i = 1; i + 1 < windows.size(); ++i) windows[i] = {nearest[i], farthest[i]};
  return windows;
}

}  // namespace

Division oodp(int n_positions, const std::vector<Index>& candidates, const IntervalCost& cost) {
  std::vector<Cuts> cuts(static_cast<std::size_t>(n_positions) + 1, candidates);
  cuts.front() = {candidates.front()};
  cuts.back() = {candidates.back()};
  return Solver(cuts, cost).solve();
}

Division oodp(int n_positions, Index n_rows, const IntervalCost& cost, const IntervalCost& at_least,
              double most_calls) {
  const std::vector<Interval> windows = windows_of_cuts(n_positions, n_rows, cost, at_least);
  Index step = 1;
  while (n_calls(windows, step) > most_calls && step < n_rows) ++step;
  std::vector<Cuts> cuts;
  for (const Interval rows : windows) cuts.push_back(grid(rows, step));
  if (step == 1) return Solver(cuts, cost).solve();
  const Division coarse = Solver(cuts, cost).solve();
  std::vector<Cuts> near;
  for (std::size_t i = 0; i < windows.size(); ++i)
    near.push_back(
        grid({std::max(coarse.cuts[i] - step, windows[i].begin), std::min(coarse.cuts[i] + step, windows[i].end)}, 1));
  return Solver(near, cost).solve();
}

}  // namespace strake::partition

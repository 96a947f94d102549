// SPDX-License-Identifier: Apache-2.0
#include "partition/oodp.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "core/errors.hpp"

namespace strake::partition {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Times that differ by less than this part are equal: sums of the same numbers in another order.
constexpr double same = 1e-9;

// Cuts that are tried at once: the square of their number is looked up.
constexpr Index most_cuts = 128;

// What makes one division better than another once the makespan is fixed.
struct Merit {
  double busy_us = infinity;
  int n_ranks = 0;

  [[nodiscard]] bool better_than(const Merit& other) const {
    if (other.busy_us == infinity) return busy_us < infinity;
    const double slack = same * other.busy_us;
    if (busy_us < other.busy_us - slack) return true;
    return busy_us <= other.busy_us + slack && n_ranks < other.n_ranks;
  }
};

class Table {
 public:
  Table(int n_ranks, std::vector<Index> cuts, const StripCost& cost)
      : n_ranks_(static_cast<std::size_t>(n_ranks)), cuts_(std::move(cuts)), costs_(n_ranks_) {
    const std::size_t n = cuts_.size();
    for (std::size_t rank = 0; rank < n_ranks_; ++rank) {
      costs_[rank].assign(n * n, infinity);
      for (std::size_t s = 0; s < n; ++s)
        for (std::size_t e = s + 1; e < n; ++e)
          costs_[rank][s * n + e] = cost(static_cast<int>(rank), {cuts_[s], cuts_[e]});
    }
  }

  [[nodiscard]] double least_makespan() const {
    const std::size_t n = cuts_.size();
    std::vector<double> best(n, infinity);
    best[0] = 0;
    for (std::size_t rank = 0; rank < n_ranks_; ++rank) {
      std::vector<double> next = best;  // leaving the rank out
      for (std::size_t e = 1; e < n; ++e)
        for (std::size_t s = 0; s < e; ++s) next[e] = std::min(next[e], std::max(best[s], at(rank, s, e)));
      best = std::move(next);
    }
    return best.back();
  }

  // Second pass: among divisions within the makespan. From the last rank backwards, so that walking forwards afterwards
  // can take the smallest cut first.
  [[nodiscard]] std::vector<Interval> best_division(double makespan) const {
    const std::size_t n = cuts_.size();
    const double limit = makespan * (1 + same);
    // merit[rank][s]: of dividing [s, end) among ranks `rank` and later.
    std::vector<std::vector<Merit>> merit(n_ranks_ + 1, std::vector<Merit>(n));
    merit[n_ranks_][n - 1] = {0, 0};
    for (std::size_t rank = n_ranks_; rank-- > 0;)
      for (std::size_t s = 0; s < n; ++s) {
        merit[rank][s] = merit[rank + 1][s];
        for (std::size_t e = s + 1; e < n; ++e)
          if (const Merit with = added(merit[rank + 1][e], rank, s, e, limit); with.better_than(merit[rank][s]))
            merit[rank][s] = with;
      }
    std::vector<Interval> strips(n_ranks_);
    std::size_t s = 0;
    for (std::size_t rank = 0; rank < n_ranks_; ++rank) {
      // Empty is the smallest cut of all; otherwise the first end that is as good as any.
      if (!merit[rank][s].better_than(merit[rank + 1][s])) continue;
      for (std::size_t e = s + 1; e < n; ++e) {
        if (merit[rank][s].better_than(added(merit[rank + 1][e], rank, s, e, limit))) continue;
        strips[rank] = {cuts_[s], cuts_[e]};
        s = e;
        break;
      }
    }
    return strips;
  }

 private:
  [[nodiscard]] double at(std::size_t rank, std::size_t s, std::size_t e) const {
    return costs_[rank][s * cuts_.size() + e];
  }

  [[nodiscard]] Merit added(const Merit& rest, std::size_t rank, std::size_t s, std::size_t e, double limit) const {
    const double us = at(rank, s, e);
    if (us > limit || rest.busy_us == infinity) return {};
    return {rest.busy_us + us, rest.n_ranks + 1};
  }

  std::size_t n_ranks_;
  std::vector<Index> cuts_;
  std::vector<std::vector<double>> costs_;  // [rank][begin * cuts + end]
};

}  // namespace

OodpResult oodp(int n_ranks, const std::vector<Index>& cuts, const StripCost& cost) {
  const Table table(n_ranks, cuts, cost);
  const double makespan = table.least_makespan();
  if (makespan == infinity)
    throw InvalidInput("no division of " + std::to_string(cuts.back()) + " rows among " + std::to_string(n_ranks) +
                       " ranks is possible");
  return {table.best_division(makespan), makespan};
}

OodpResult oodp(int n_ranks, Index rows, const StripCost& cost) {
  const Index granularity = (rows + most_cuts - 1) / most_cuts;
  std::vector<Index> cuts;
  for (Index cut = 0; cut < rows; cut += granularity) cuts.push_back(cut);
  cuts.push_back(rows);
  OodpResult coarse = oodp(n_ranks, cuts, cost);
  if (granularity == 1) return coarse;
  std::set<Index> fine{0, rows};
  for (const Interval strip : coarse.strips)
    for (Index cut = strip.end - granularity + 1; cut < strip.end + granularity; ++cut)
      if (!strip.empty() && cut > 0 && cut < rows) fine.insert(cut);
  return oodp(n_ranks, {fine.begin(), fine.end()}, cost);
}

}  // namespace strake::partition

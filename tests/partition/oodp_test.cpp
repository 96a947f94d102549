// SPDX-License-Identifier: Apache-2.0
#include "partition/oodp.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "core/errors.hpp"
#include "core/random.hpp"

namespace strake::partition {
namespace {

using test::pick;
using test::Random;

constexpr double infinite = std::numeric_limits<double>::infinity();

std::vector<Index> every_row(Index n_rows) {
  std::vector<Index> rows;
  for (Index row = 0; row <= n_rows; ++row) rows.push_back(row);
  return rows;
}

/// [position][begin][end]
using Table = std::vector<std::vector<std::vector<double>>>;

Table random_table(Random& random, int n_positions, Index n_rows, Index most_us) {
  Table table(static_cast<std::size_t>(n_positions));
  for (auto& position : table) {
    position.assign(static_cast<std::size_t>(n_rows) + 1, std::vector<double>(static_cast<std::size_t>(n_rows) + 1));
    for (auto& begin : position)
      for (double& us : begin) us = pick(random, 0, 9) == 0 ? infinite : static_cast<double>(pick(random, 0, most_us));
  }
  return table;
}

IntervalCost look_up(const Table& table) {
  return [&table](int position, Index begin, Index end) {
    EXPECT_LT(begin, end);
    return table[static_cast<std::size_t>(position)][static_cast<std::size_t>(begin)][static_cast<std::size_t>(end)];
  };
}

/// Tries all cuts, and so all subsets of ranks: a rank between equal cuts is left out.
class BruteForce {
 public:
  BruteForce(int n_positions, Index n_rows, IntervalCost cost)
      : n_positions_(n_positions), n_rows_(n_rows), cost_(std::move(cost)) {
    cuts_ = {0};
    descend();
  }
  [[nodiscard]] const Division& best() const { return best_; }

 private:
  void descend() {
    if (static_cast<int>(cuts_.size()) == n_positions_) {
      cuts_.push_back(n_rows_);
      compare();
      cuts_.pop_back();
      return;
    }
    for (Index cut = cuts_.back(); cut <= n_rows_; ++cut) {
      cuts_.push_back(cut);
      descend();
      cuts_.pop_back();
    }
  }

  void compare() {
    Division one{.cuts = cuts_};
    // From the last to the first, as OODP adds up: only then are equal sums equal bits.
    for (int p = n_positions_ - 1; p >= 0; --p) {
      const Index begin = cuts_[static_cast<std::size_t>(p)];
      const Index end = cuts_[static_cast<std::size_t>(p) + 1];
      if (begin == end) continue;
      const double us = cost_(p, begin, end);
      one.makespan_us = std::max(one.makespan_us, us);
      one.busy_us = us + one.busy_us;
      ++one.n_used;
    }
    const auto key = [](const Division& d) { return std::tie(d.makespan_us, d.busy_us, d.n_used, d.cuts); };
    if (best_.cuts.empty() || key(one) < key(best_)) best_ = one;
  }

  int n_positions_;
  Index n_rows_;
  IntervalCost cost_;
  std::vector<Index> cuts_;
  Division best_;
};

void expect_optimum(int n_positions, Index n_rows, const Table& table, const std::string& what) {
  const Division expected = BruteForce(n_positions, n_rows, look_up(table)).best();
  if (expected.makespan_us == infinite) {
    EXPECT_THROW((void)oodp(n_positions, every_row(n_rows), look_up(table)), Bug) << what;
    return;
  }
  const Division found = oodp(n_positions, every_row(n_rows), look_up(table));
  EXPECT_EQ(found.makespan_us, expected.makespan_us) << what;
  EXPECT_EQ(found.busy_us, expected.busy_us) << what;
  EXPECT_EQ(found.n_used, expected.n_used) << what;
  EXPECT_EQ(found.cuts, expected.cuts) << what;
}

TEST(Oodp, FindsTheOptimumOfAnyTable) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const int n_positions = static_cast<int>(pick(random, 1, 4));
    const Index n_rows = pick(random, 1, 12);
    expect_optimum(n_positions, n_rows, random_table(random, n_positions, n_rows, 1000),
                   "seed " + std::to_string(seed));
  }
}

TEST(Oodp, FindsTheOptimumOf24RowsOn4Ranks) {
  for (unsigned seed = 500; seed < 510; ++seed) {
    Random random(seed);
    expect_optimum(4, 24, random_table(random, 4, 24, 1000), "seed " + std::to_string(seed));
  }
}

// Few different costs make many divisions equal: then busy time, ranks and cuts decide.
TEST(Oodp, BreaksTiesInOneWay) {
  for (unsigned seed = 1000; seed < 1300; ++seed) {
    Random random(seed);
    const int n_positions = static_cast<int>(pick(random, 1, 4));
    const Index n_rows = pick(random, 1, 10);
    expect_optimum(n_positions, n_rows, random_table(random, n_positions, n_rows, 2), "seed " + std::to_string(seed));
  }
}

TEST(Oodp, LeavesOutARankThatOnlyHurts) {
  const auto cost = [](int position, Index begin, Index end) {
    return position == 1 ? 1000.0 : static_cast<double>(end - begin);
  };
  const Division division = oodp(3, every_row(10), cost);
  EXPECT_EQ(division.cuts, (std::vector<Index>{0, 5, 5, 10}));
  EXPECT_EQ(division.makespan_us, 5);
  EXPECT_EQ(division.n_used, 2);
}

TEST(Oodp, GivesUnequalRanksUnequalRows) {
  const auto cost = [](int position, Index begin, Index end) {
    return static_cast<double>((end - begin) * (position == 0 ? 1 : 3));
  };
  EXPECT_EQ(oodp(2, every_row(16), cost).cuts, (std::vector<Index>{0, 12, 16}));
}

TEST(Oodp, TakesTheFirstCutOfEqualOnes) {
  const auto cost = [](int, Index, Index) { return 1.0; };
  // One rank alone has the least busy time, and the smallest cuts give all rows to the last.
  EXPECT_EQ(oodp(3, every_row(4), cost).cuts, (std::vector<Index>{0, 0, 0, 4}));
}

// Costs as kernels have them: more rows take longer on the whole, but now and then less; the first and last rows of a
// map cost something besides.
struct Uneven {
  std::vector<std::vector<double>> us;     // [position][rows]
  std::vector<std::vector<double>> least;  // [position][rows]: of so many rows or more
  Index n_rows = 0;

  Uneven(Random& random, int n_positions, Index n) : n_rows(n) {
    for (int p = 0; p < n_positions; ++p) {
      const double slow = static_cast<double>(pick(random, 1, 9));
      std::vector<double>& mine = us.emplace_back();
      for (Index rows = 0; rows <= n; ++rows)
        mine.push_back(slow * static_cast<double>(3 * rows + pick(random, 0, 12)));
      least.push_back(mine);
      for (std::size_t rows = mine.size() - 1; rows-- > 0;)
        least.back()[rows] = std::min(least.back()[rows], least.back()[rows + 1]);
    }
  }
  [[nodiscard]] double edges(Index begin, Index end) const { return begin == 0 || end == n_rows ? 4.5 : 0; }
  [[nodiscard]] IntervalCost cost() const {
    return [this](int p, Index begin, Index end) { return us[at(p)][at(end - begin)] + edges(begin, end); };
  }
  [[nodiscard]] IntervalCost at_least() const {
    return [this](int p, Index begin, Index end) { return least[at(p)][at(end - begin)] + edges(begin, end); };
  }
};

TEST(Oodp, LeavesOutCutsThatCannotBeTheBest) {
  for (unsigned seed = 3000; seed < 3100; ++seed) {
    Random random(seed);
    const int n_positions = static_cast<int>(pick(random, 2, 9));
    const Index n_rows = pick(random, 30, 90);
    const Uneven costs(random, n_positions, n_rows);
    const Division expected = oodp(n_positions, every_row(n_rows), costs.cost());
    double calls = 0;
    const auto counted = [&, cost = costs.cost()](int p, Index begin, Index end) {
      ++calls;
      return cost(p, begin, end);
    };
    const Division found = oodp(n_positions, n_rows, counted, costs.at_least(), 1e9);
    EXPECT_EQ(found.makespan_us, expected.makespan_us) << "seed " << seed;
    EXPECT_EQ(found.busy_us, expected.busy_us) << "seed " << seed;
    EXPECT_EQ(found.n_used, expected.n_used) << "seed " << seed;
    EXPECT_EQ(found.cuts, expected.cuts) << "seed " << seed;
    const double all = n_positions * static_cast<double>(n_rows * n_rows) / 2;
    if (all > 10'000) {
      EXPECT_LT(calls, all / 4) << "seed " << seed;
    }
  }
}

TEST(Oodp, StaysCloseToTheOptimumOfManyRowsWithFewCalls) {
  for (unsigned seed = 2000; seed < 2010; ++seed) {
    Random random(seed);
    const int n_positions = 8;
    const Uneven costs(random, n_positions, 1080);
    double calls = 0;
    const auto counted = [&, cost = costs.cost()](int p, Index begin, Index end) {
      ++calls;
      return cost(p, begin, end);
    };
    const double exact = oodp(n_positions, 1080, costs.cost(), costs.at_least(), 1e9).makespan_us;
    const Division coarse = oodp(n_positions, 1080, counted, costs.at_least(), 300);
    EXPECT_LT(calls, 4'000);
    EXPECT_LE(coarse.makespan_us, exact * 1.05) << "seed " << seed;
    EXPECT_EQ(coarse.cuts.back(), 1080);
  }
}

}  // namespace
}  // namespace strake::partition

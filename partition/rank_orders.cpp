// SPDX-License-Identifier: Apache-2.0
#include "partition/rank_orders.hpp"

#include <algorithm>
#include <limits>

#include "partition/bounds.hpp"
#include "partition/strategies/cuts.hpp"

namespace strake::partition {

namespace {

constexpr double typical_halo_bytes = 65536;
constexpr double links_differ_above = 2;  // ratio of the slowest to the fastest; below it is noise
constexpr std::size_t many = 6;           // ranks, above which not everything is tried
constexpr std::size_t few = 3;            // ranks whose orders all are planned

// Both ways, since halos go both ways.
double link_us(const CostModel& costs, int a, int b) {
  return costs.transfer_us(a, b, typical_halo_bytes) + costs.transfer_us(b, a, typical_halo_bytes);
}

double sum_of_links_us(const CostModel& costs, int rank, const std::vector<int>& ranks) {
  double us = 0;
  for (const int other : ranks) us += link_us(costs, rank, other);
  return us;
}

bool links_differ(const CostModel& costs, const std::vector<int>& ranks) {
  double least = std::numeric_limits<double>::infinity();
  double most = 0;
  for (const int a : ranks) {
    for (const int b : ranks) {
      if (a >= b) continue;
      least = std::min(least, link_us(costs, a, b));
      most = std::max(most, link_us(costs, a, b));
    }
  }
  return most > links_differ_above * least;
}

// Leaves out the rank with the greatest burden, again and again.
template <class BurdenOf>
void shrink(std::vector<int> ranks, const BurdenOf& burden_of, std::vector<std::vector<int>>& sets) {
  while (ranks.size() > 2) {
    const std::size_t n_dropped = ranks.size() > many ? ranks.size() / 4 : 1;
    for (std::size_t i = 0; i < n_dropped; ++i) {
      // The last among equals, so that rank 0, which has the inputs, stays as long as it can.
      std::size_t worst = 0;
      for (std::size_t j = 1; j < ranks.size(); ++j)
        if (burden_of(ranks[j], ranks) >= burden_of(ranks[worst], ranks)) worst = j;
      ranks.erase(ranks.begin() + static_cast<std::ptrdiff_t>(worst));
    }
    if (std::find(sets.begin(), sets.end(), ranks) == sets.end()) sets.push_back(ranks);
  }
}

double path_us(const CostModel& costs, const std::vector<int>& order) {
  double us = 0;
  for (std::size_t i = 1; i < order.size(); ++i) us += link_us(costs, order[i - 1], order[i]);
  return us;
}

// The slowest links to the ends, by turns.
std::vector<int> slow_to_the_ends(const CostModel& costs, std::vector<int> ranks) {
  const std::vector<int> all = ranks;
  std::stable_sort(ranks.begin(), ranks.end(),
                   [&](int a, int b) { return sum_of_links_us(costs, a, all) > sum_of_links_us(costs, b, all); });
  std::vector<int> front;
  std::vector<int> back;
  for (std::size_t i = 0; i < ranks.size(); ++i) (i % 2 == 0 ? front : back).push_back(ranks[i]);
  front.insert(front.end(), back.rbegin(), back.rend());
  return front;
}

}  // namespace

std::vector<std::vector<int>> rank_sets(const CostModel& costs) {
  const std::vector<int> all = all_ranks(costs.n_ranks());
  const std::vector<double> us = whole_us(costs);
  std::vector<std::vector<int>> sets = {all};
  shrink(
      all, [&](int rank, const std::vector<int>&) { return us[at(rank)]; }, sets);
  if (links_differ(costs, all))
    shrink(
        all, [&](int rank, const std::vector<int>& among) { return sum_of_links_us(costs, rank, among); }, sets);
  return sets;
}

std::vector<std::vector<int>> rank_orders(const CostModel& costs, const std::vector<int>& ranks) {
  std::vector<std::vector<int>> orders = {ranks};
  if (!links_differ(costs, ranks)) return orders;
  std::vector<int> best = ranks;
  if (ranks.size() > many) {
    best = slow_to_the_ends(costs, ranks);
  } else {
    std::vector<int> order = ranks;
    while (std::next_permutation(order.begin(), order.end())) {
      if (ranks.size() <= few) orders.push_back(order);
      if (path_us(costs, order) < path_us(costs, best)) best = order;
    }
  }
  if (std::find(orders.begin(), orders.end(), best) == orders.end()) orders.push_back(best);
  return orders;
}

}  // namespace strake::partition

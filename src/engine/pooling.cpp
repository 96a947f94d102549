// SPDX-License-Identifier: Apache-2.0
#include "engine/pooling.hpp"

#include <algorithm>
#include <string>
#include <tuple>

namespace strake::engine {

namespace {

// The fastest and the slowest of those that are taken together.
constexpr double most_unlike = 1.05;

using Group = std::vector<RankProfile*>;

bool measured_alike(const std::vector<OpCost>& a, const std::vector<OpCost>& b) {
  return std::ranges::equal(a, b, {}, &OpCost::extents, &OpCost::extents);
}

// Gives all of them the mean of what `number` refers to in each.
template <class Number>
void pool(const Group& group, Number number) {
  double sum = 0;
  for (RankProfile* rank : group) sum += number(*rank);
  for (RankProfile* rank : group) number(*rank) = sum / static_cast<double>(group.size());
}

void pool_costs(const Group& group, std::vector<OpCost> RankProfile::*costs) {
  const std::vector<OpCost>& any = group.front()->*costs;
  for (std::size_t op = 0; op < any.size(); ++op)
    for (std::size_t i = 0; i < any[op].microseconds.size(); ++i)
      pool(group, [&](RankProfile& rank) -> double& { return (rank.*costs)[op].microseconds[i]; });
}

}  // namespace

void pool_alike(std::vector<RankProfile>& ranks) {
  Group ordered;
  for (RankProfile& rank : ranks) ordered.push_back(&rank);
  std::ranges::stable_sort(ordered, [](const RankProfile* a, const RankProfile* b) {
    return std::tie(a->host, a->threads, a->whole_us) < std::tie(b->host, b->threads, b->whole_us);
  });
  for (auto begin = ordered.begin(); begin != ordered.end();) {
    const RankProfile& first = **begin;
    const auto end = std::find_if(begin, ordered.end(), [&](const RankProfile* rank) {
      return rank->host != first.host || rank->threads != first.threads ||
             rank->whole_us > most_unlike * first.whole_us || !measured_alike(rank->ops, first.ops) ||
             !measured_alike(rank->channels, first.channels);
    });
    const Group group(begin, end);
    pool_costs(group, &RankProfile::ops);
    pool_costs(group, &RankProfile::channels);
    pool(group, [](RankProfile& rank) -> double& { return rank.whole_us; });
    pool(group, [](RankProfile& rank) -> double& { return rank.jitter_us; });
    begin = end;
  }
}

}  // namespace strake::engine

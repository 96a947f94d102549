// SPDX-License-Identifier: Apache-2.0
#include "partition/verdict.hpp"

#include <algorithm>

#include "partition/bounds.hpp"
#include "partition/timeline.hpp"

namespace strake::partition {

namespace {

// The same ranks with links that take no time, and nothing to be rounded for them.
CostModel without_links(const CostModel& costs) {
  Profile profile = costs.profile();
  for (std::vector<Link>& links : profile.links) links.assign(links.size(), Link{});
  profile.transfer_type = TransferType::f32;
  return {costs.graph(), std::move(profile)};
}

// Microseconds that each rank computes operators of which no other has a part. [rank]
std::vector<double> alone_us(const Timeline& timeline, std::size_t n_ops) {
  std::vector<int> n_ranks(n_ops);
  for (const std::vector<TimelineStep>& steps : timeline.ranks)
    for (const TimelineStep& step : steps) ++n_ranks[at(step.op)];
  std::vector<double> us;
  for (const std::vector<TimelineStep>& steps : timeline.ranks) {
    double& mine = us.emplace_back();
    for (const TimelineStep& step : steps)
      if (n_ranks[at(step.op)] == 1) mine += step.end_us - step.begin_us;
  }
  return us;
}

// @param whole  [rank] microseconds that no frame of that rank alone falls below
void find_best_single(const CostModel& costs, const std::vector<double>& whole, Verdict& verdict) {
  for (int rank = 0; rank < costs.n_ranks(); ++rank) {
    if (rank > 0 && whole[at(rank)] >= verdict.best_single_us) continue;
    const double us = evaluate(costs, single_rank_plan(costs.graph(), costs.n_ranks(), rank)).makespan_us;
    if (rank > 0 && us >= verdict.best_single_us) continue;
    verdict.best_single_us = us;
    verdict.best_rank = rank;
  }
}

}  // namespace

Verdict judge(const CostModel& costs, const Plan& plan) {
  Verdict verdict;
  const std::vector<double> whole = whole_us(costs);
  find_best_single(costs, whole, verdict);
  verdict.ranks = working_ranks(costs.graph(), plan);
  verdict.frame_us = evaluate(costs, plan).makespan_us;
  const Timeline free = evaluate(without_links(costs), plan);
  const std::vector<double> alone = alone_us(free, costs.graph().ops.size());
  if (verdict.ranks.empty() || std::ranges::any_of(whole, [](double us) { return us <= 0; })) return verdict;

  double all = 0;   // throughput in frames per microsecond
  double used = 0;  // of those that compute something
  for (const double us : whole) all += 1 / us;
  for (const int rank : verdict.ranks) used += 1 / whole[at(rank)];
  verdict.ideal_us = 1 / all;
  verdict.ideal_speedup = ideal_speedup(whole);
  Losses& losses = verdict.losses;
  losses.left_out_us = 1 / used - 1 / all;
  losses.messages_us = verdict.frame_us - free.makespan_us;
  // What the ranks compute, as if each part of it could be shared by all of them.
  double shared_us = 0;
  for (const int rank : verdict.ranks) {
    const double share = 1 / whole[at(rank)] / used;
    shared_us += free.compute_us[at(rank)] * share;
    losses.unsplit_us += alone[at(rank)] * (1 - share);
  }
  losses.kernels_us = shared_us - 1 / used;
  losses.imbalance_us = free.makespan_us - shared_us - losses.unsplit_us;
  // Ranks that are alone with different operators at the same time help each other after all.
  losses.unsplit_us += std::min(losses.imbalance_us, 0.0);
  losses.imbalance_us = std::max(losses.imbalance_us, 0.0);
  return verdict;
}

}  // namespace strake::partition

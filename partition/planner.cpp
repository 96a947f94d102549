// SPDX-License-Identifier: Apache-2.0
#include "partition/planner.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <optional>

#include "core/errors.hpp"
#include "partition/strategies.hpp"
#include "partition/strips.hpp"
#include "partition/timeline.hpp"

namespace strake::partition {

namespace {

std::string ms(double us) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3f ms", us / 1000);
  return text;
}

Plan finished(const CostModel& costs, Plan plan, const std::string& strategy) {
  finish_plan(costs, plan, strategy);
  return plan;
}

std::string names_of(const std::vector<bool>& allowed) {
  std::string text;
  for (std::size_t rank = 0; rank < allowed.size(); ++rank)
    if (allowed[rank]) text += (text.empty() ? "" : ", ") + std::to_string(rank);
  return text;
}

// A plan on the best rank alone: usually rank 0, which has the inputs.
Plan best_single(const CostModel& costs) {
  std::optional<Plan> best;
  for (int rank = 0; rank < costs.n_ranks(); ++rank) {
    Plan plan = finished(costs, single_rank_plan(costs.graph(), costs.n_ranks(), rank), "single");
    if (!best || plan.predicted_us < best->predicted_us) best = std::move(plan);
  }
  return std::move(*best);
}

// The faster of two plans, with a note about the other.
Plan faster(Plan a, Plan b) {
  if (b.predicted_us < a.predicted_us) std::swap(a, b);
  a.notes.push_back(b.strategy + " would take " + ms(b.predicted_us) + ", " + a.strategy + " takes " +
                    ms(a.predicted_us));
  return a;
}

// Bytes that travel cost little: then there is nothing that recomputing halos could save.
bool transfers_matter(const CostModel& costs, const Plan& plan) {
  double waits = 0;
  const Timeline timeline = evaluate(costs, plan);
  for (const double us : timeline.wait_us) waits = std::max(waits, us);
  double links = 0;
  for (OpId id = 0; id < costs.graph().size(); ++id)
    for (const Transfer& transfer : transfers(costs.graph(), plan, id))
      links += costs.transfer_us(transfer.src, transfer.dst, static_cast<double>(transfer.box.volume()) * 4.0);
  return links > 0.03 * timeline.makespan_us && waits > 0.03 * timeline.makespan_us;
}

Plan split_plan(const CostModel& costs, const std::vector<bool>& allowed) {
  Plan exchange = finished(costs, exchange_plan(costs, allowed), "oodp-exchange");
  if (!transfers_matter(costs, exchange)) return exchange;
  return faster(std::move(exchange), finished(costs, recompute_plan(costs, allowed), "oodp-recompute"));
}

// All ranks, then without the slowest, and so on: a rank may help in single steps and hurt overall.
Plan best_subset(const CostModel& costs) {
  std::vector<int> slowest_first(static_cast<std::size_t>(costs.n_ranks()));
  std::iota(slowest_first.begin(), slowest_first.end(), 0);
  std::stable_sort(slowest_first.begin(), slowest_first.end(), [&](int a, int b) {
    return costs.profile().ranks[static_cast<std::size_t>(a)].whole_us >
           costs.profile().ranks[static_cast<std::size_t>(b)].whole_us;
  });
  std::vector<bool> allowed(slowest_first.size(), true);
  Plan best = split_plan(costs, allowed);
  std::vector<std::string> notes;
  for (std::size_t i = 0; i + 2 < slowest_first.size(); ++i) {
    const int rank = slowest_first[i];
    allowed[static_cast<std::size_t>(rank)] = false;
    Plan without = split_plan(costs, allowed);
    if (without.predicted_us >= best.predicted_us) break;
    notes.push_back("rank " + std::to_string(rank) + " left out: with it " + ms(best.predicted_us) + ", on ranks " +
                    names_of(allowed) + " " + ms(without.predicted_us));
    best = std::move(without);
  }
  best.notes.insert(best.notes.begin(), notes.begin(), notes.end());
  return best;
}

void note_idle_ranks(const CostModel& costs, Plan& plan) {
  const std::vector<double> work = multiply_adds(costs.graph(), plan);
  for (std::size_t rank = 0; rank < work.size(); ++rank)
    if (work[rank] == 0)
      plan.notes.push_back("rank " + std::to_string(rank) + " computes nothing: it would only slow the others down");
}

Plan automatic(const CostModel& costs) {
  Plan single = best_single(costs);
  if (costs.n_ranks() == 1) return single;
  Plan plan = faster(best_subset(costs), std::move(single));
  note_idle_ranks(costs, plan);
  return plan;
}

}  // namespace

std::vector<std::string> strategies() {
  return {"auto", "oodp", "oodp-exchange", "oodp-recompute", "oodp-published", "equal", "proportional", "single"};
}

Plan make_plan(const CostModel& costs, const std::string& strategy) {
  const std::vector<bool> everybody(static_cast<std::size_t>(costs.n_ranks()), true);
  if (strategy == "auto") return automatic(costs);
  if (strategy == "oodp") return best_subset(costs);
  if (strategy == "oodp-exchange") return finished(costs, exchange_plan(costs, everybody), strategy);
  if (strategy == "oodp-recompute") return finished(costs, recompute_plan(costs, everybody), strategy);
  if (strategy == "oodp-published") return finished(costs, published_plan(costs), strategy);
  if (strategy == "equal")
    return finished(costs, equal_plan(costs.graph(), costs.n_ranks(), costs.profile().axis), strategy);
  if (strategy == "proportional") return finished(costs, proportional_plan(costs), strategy);
  if (strategy == "single") return best_single(costs);
  std::string known;
  for (const std::string& name : strategies()) known += (known.empty() ? "" : ", ") + name;
  throw InvalidInput("unknown strategy '" + strategy + "'; there are " + known);
}

}  // namespace strake::partition

// SPDX-License-Identifier: Apache-2.0
#include "partition/throughput.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/errors.hpp"
#include "partition/bounds.hpp"
#include "partition/cycle_model.hpp"
#include "partition/memory.hpp"
#include "partition/planner.hpp"
#include "partition/timeline.hpp"

namespace strake::partition {

namespace {

// A cycle with more frames must give so many times the throughput.
constexpr double worth_more_frames = 1.05;

constexpr double us_per_s = 1e6;

/// Some ranks and their plan for one frame.
struct Group {
  Plan frame;
  double us = 0;  // of a frame, nothing else in flight
};

struct Scheme {
  std::string strategy;
  std::vector<Group> groups;  // that frames are dealt to
};

struct CycleCandidate {
  Plan plan;
  double fps = 0;
  double bytes = 0;  // of the rank that holds most
};

Group group_of(Plan frame) {
  const double us = frame.predicted_us;
  return {std::move(frame), us};
}

Scheme repeated(Plan frame) {
  std::string strategy = frame.strategy;
  return {std::move(strategy), {group_of(std::move(frame))}};
}

Scheme data_parallel(const CostModel& costs) {
  Scheme scheme{"data-parallel", {}};
  for (int rank = 0; rank < costs.n_ranks(); ++rank) {
    Plan alone = single_rank_plan(costs.graph(), costs.n_ranks(), rank);
    alone.axis = costs.profile().axis;
    alone.transfer_type = costs.profile().transfer_type;
    alone.predicted_us = evaluate(costs, alone).makespan_us;
    scheme.groups.push_back(group_of(std::move(alone)));
  }
  return scheme;
}

// Ranks from the fastest to the slowest, dealt there and back, so that groups have about the same speed.
std::vector<std::vector<int>> even_groups(const CostModel& costs, std::size_t n_groups) {
  const std::vector<double> us = whole_us(costs);
  std::vector<int> ranks(us.size());
  std::iota(ranks.begin(), ranks.end(), 0);
  std::stable_sort(ranks.begin(), ranks.end(), [&](int a, int b) { return us[at(a)] < us[at(b)]; });
  std::vector<std::vector<int>> groups(n_groups);
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const std::size_t place = i % (2 * n_groups);
    groups[place < n_groups ? place : 2 * n_groups - 1 - place].push_back(ranks[i]);
  }
  for (std::vector<int>& group : groups) std::sort(group.begin(), group.end());
  return groups;
}

Scheme frame_groups(const CostModel& costs, std::size_t n_groups) {
  Scheme scheme{"frame-groups", {}};
  for (const std::vector<int>& ranks : even_groups(costs, n_groups))
    scheme.groups.push_back(group_of(plan_for_ranks(costs, ranks)));
  return scheme;
}

// How many frames each group takes so that the last is done first: each goes to who would have done it first. [group]
std::vector<int> deal(const std::vector<Group>& groups, int n_frames) {
  std::vector<int> taken(groups.size());
  for (int frame = 0; frame < n_frames; ++frame) {
    std::size_t first = 0;
    for (std::size_t i = 1; i < groups.size(); ++i)
      if ((taken[i] + 1) * groups[i].us < (taken[first] + 1) * groups[first].us) first = i;
    ++taken[first];
  }
  return taken;
}

double busiest_us(const std::vector<Group>& groups, const std::vector<int>& taken) {
  double most = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) most = std::max(most, taken[i] * groups[i].us);
  return most;
}

// One frame of every group in turn.
Plan cycle_of(const Scheme& scheme, const std::vector<int>& taken) {
  std::vector<Plan> frames;
  for (int round = 0; round < *std::max_element(taken.begin(), taken.end()); ++round)
    for (std::size_t i = 0; i < taken.size(); ++i)
      if (round < taken[i]) frames.push_back(scheme.groups[i].frame);
  return cycle_plan(std::move(frames), scheme.strategy);
}

// Numbers of frames worth a look: those at which the busiest group has less to do for each, and twice the best of them.
std::vector<int> frame_counts(const Scheme& scheme, int most_frames) {
  std::vector<int> counts;
  double least = 0;
  for (int n = 1; n <= most_frames; ++n) {
    const double us = busiest_us(scheme.groups, deal(scheme.groups, n)) / n;
    if (!counts.empty() && us * worth_more_frames >= least) continue;
    least = us;
    counts.push_back(n);
  }
  while (counts.back() * 2 <= most_frames) counts.push_back(counts.back() * 2);
  return counts;
}

void add_candidates(const CostModel& costs, const Scheme& scheme, const Goal& goal, std::vector<CycleCandidate>& all) {
  const bool limited = goal.most_bytes < std::numeric_limits<double>::infinity();
  for (const int n_frames : frame_counts(scheme, goal.most_in_flight)) {
    CycleCandidate candidate{cycle_of(scheme, deal(scheme.groups, n_frames)), 0, 0};
    const CycleModel cycle(costs, candidate.plan);
    candidate.plan.predicted_us = evaluate(cycle.costs, cycle.unrolled.plan).makespan_us;
    if (limited) candidate.bytes = most_process_bytes(cycle.unrolled.graph, cycle.costs.profile(), cycle.unrolled.plan);
    if (candidate.plan.predicted_us > 0) candidate.fps = n_frames * us_per_s / candidate.plan.predicted_us;
    all.push_back(std::move(candidate));
  }
}

std::vector<Scheme> schemes(const CostModel& costs, const std::string& strategy) {
  std::vector<Scheme> all;
  const bool compare = strategy == "auto";
  if (!needs_frames_in_flight(strategy)) all.push_back(repeated(make_plan(costs, strategy)));
  if (compare || strategy == "data-parallel") all.push_back(data_parallel(costs));
  if (compare && costs.n_ranks() > 1) all.push_back(repeated(make_plan(costs, "pipeline")));
  if (compare || strategy == "frame-groups")
    for (std::size_t n_groups = compare ? 2 : 1; n_groups < at(costs.n_ranks()) || n_groups == 1; n_groups *= 2)
      all.push_back(frame_groups(costs, n_groups));
  return all;
}

const CycleCandidate& choose_cycle(const std::vector<CycleCandidate>& all, double offered_fps) {
  const CycleCandidate* best = nullptr;
  for (const CycleCandidate& one : all) {
    const bool keeps_up = offered_fps > 0 && one.fps >= offered_fps;
    const bool best_keeps_up = best != nullptr && offered_fps > 0 && best->fps >= offered_fps;
    bool better = best == nullptr || (keeps_up && !best_keeps_up);
    if (best != nullptr && keeps_up && best_keeps_up) better = one.plan.predicted_us < best->plan.predicted_us;
    if (best != nullptr && !keeps_up && !best_keeps_up)
      better = one.fps > best->fps * (one.plan.frames > best->plan.frames ? worth_more_frames : 1 / worth_more_frames);
    if (better) best = &one;
  }
  ensure(best != nullptr, "there is always a candidate");
  return *best;
}

void keep_within(const Graph& graph, double most_bytes, std::vector<CycleCandidate>& all) {
  const double least = std::ranges::min(all, {}, &CycleCandidate::bytes).bytes;
  if (least > most_bytes) throw InvalidInput(needs_more_memory(graph, least, most_bytes));
  std::erase_if(all, [&](const CycleCandidate& one) { return one.bytes > most_bytes; });
}

std::string fps_text(double fps) {
  const std::string text = std::to_string(fps);
  return text.substr(0, text.find('.') + 3) + " frames/s";
}

double fps_of(const Plan& plan) {
  return plan.predicted_us > 0 ? plan.frames * us_per_s / plan.predicted_us : std::numeric_limits<double>::infinity();
}

// The best of each strategy, in the order of the search.
std::vector<std::string> notes_on_cycles(const std::vector<CycleCandidate>& all) {
  std::vector<std::string> notes;
  std::vector<std::string> told;
  for (const CycleCandidate& one : all) {
    if (std::find(told.begin(), told.end(), one.plan.strategy) != told.end()) continue;
    told.push_back(one.plan.strategy);
    const CycleCandidate* best = &one;
    for (const CycleCandidate& other : all)
      if (other.plan.strategy == one.plan.strategy && other.fps > best->fps) best = &other;
    notes.push_back("compared: " + best->plan.strategy + ", " + std::to_string(best->plan.frames) + " in flight, " +
                    fps_text(best->fps));
  }
  return notes;
}

}  // namespace

Plan make_throughput_plan(const CostModel& costs, const std::string& strategy, const Goal& goal) {
  const bool limited = goal.most_bytes < std::numeric_limits<double>::infinity();
  std::vector<CycleCandidate> all;
  for (const Scheme& scheme : schemes(costs, strategy)) add_candidates(costs, scheme, goal, all);
  if (limited) keep_within(costs.graph(), goal.most_bytes, all);
  Plan plan = choose_cycle(all, goal.offered_fps).plan;
  plan.notes = notes_on_cycles(all);
  if (goal.offered_fps > 0 && fps_of(plan) < goal.offered_fps)
    plan.notes.push_back("no plan keeps up with " + fps_text(goal.offered_fps) + ": this one does " +
                         fps_text(fps_of(plan)));
  check(costs.graph(), plan, costs.n_ranks());
  return plan;
}

bool needs_frames_in_flight(const std::string& strategy) {
  return strategy == "data-parallel" || strategy == "frame-groups";
}

}  // namespace strake::partition

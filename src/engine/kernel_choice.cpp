// SPDX-License-Identifier: Apache-2.0
#include "engine/kernel_choice.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include "comm/simulation.hpp"
#include "engine/executor.hpp"
#include "engine/measure.hpp"

namespace strake::engine {

namespace {

using Clock = comm::Clock;
using kernels::Family;

constexpr std::size_t heavy_weight_bytes = std::size_t{64} << 20;

constexpr int least_trials = 3;
constexpr int most_trials = 15;
constexpr auto time_per_round = std::chrono::milliseconds(100);

// Weights that are tried at once may take this much more than direct ones, or a quarter of these: measuring should not
// be what a process needs most memory for.
constexpr double least_room_bytes = 32 << 20;
constexpr double room_share = 0.25;

// A family that takes this many times as long as direct kernels will not win on fewer rows.
constexpr double hopeless = 1.6;

// A family must be faster than direct by this, or chance decides.
constexpr double least_gain = 0.03;

struct OpTimes {
  std::vector<double> us;                    // [op], median over runs of the sum over its kernels
  std::vector<double> least_us;              // [op], of the fastest run
  std::vector<std::string> implementations;  // [op], of the last kernel
  double weight_bytes = 0;
  double held_bytes = 0;  // weights, activations, workspace
};

// Everything that `rank` computes but heavy operators.
Plan light_plan(const Graph& graph, const Plan& plan, int rank) {
  Plan light = plan;
  for (OpId id = 0; id < graph.size(); ++id)
    if (is_heavy(graph, graph.op(id))) light.boxes(id, rank).clear();
  return light;
}

OpTimes time_families(const Graph& graph, const Plan& plan, int rank, const Families& families) {
  kernels::WeightStore weights = kernels::WeightStore::synthetic(graph);
  const Program program(
      graph, plan, rank, nullptr, weights,
      {.exactness = kernels::Exactness::fastest, .messages = Messages::left_out, .families = families});
  Executor executor(program, {});
  const int least = executor.run().total_us < long_run_us ? least_trials : 1;
  std::vector<std::vector<double>> samples(graph.ops.size());  // [op][run]
  const Clock::time_point end = Clock::now() + time_per_round;
  for (int i = 0; i < most_trials && (i < least || Clock::now() < end); ++i) {
    (void)executor.run();
    for (auto& of_op : samples) of_op.push_back(0);
    for (std::size_t step = 0; step < program.steps().size(); ++step)
      samples[static_cast<std::size_t>(program.steps()[step].op)].back() += executor.step_us()[step];
  }
  OpTimes times{.us = {}, .least_us = {}, .implementations = std::vector<std::string>(graph.ops.size())};
  for (auto& of_op : samples) {
    times.least_us.push_back(*std::ranges::min_element(of_op));
    times.us.push_back(median(std::move(of_op)));
  }
  times.weight_bytes = static_cast<double>(weights.size_bytes());
  times.held_bytes = times.weight_bytes + static_cast<double>(program.arena_bytes() + program.workspace_bytes());
  for (const Step& step : program.steps())
    if (step.kernel != nullptr)
      times.implementations[static_cast<std::size_t>(step.op)] = step.kernel->implementation();
  return times;
}

// A family that was faster than direct for one operator.
struct Gain {
  OpId op = 0;
  Family family = Family::direct;
  double saved_us = 0;
  double bytes = 0;  // more than direct
};

double extra_bytes(const Graph& graph, OpId op, Family family) {
  return static_cast<double>(weight_bytes(graph, graph.op(op))) * (kernels::weight_factor(family) - 1);
}

// What of `waiting` fits into `room` at once, one family for each operator; taken out of the list.
Families next_round(const Graph& graph, std::vector<Gain>& waiting, double room) {
  Families tried(graph.ops.size(), Family::direct);
  std::erase_if(waiting, [&](const Gain& gain) {
    Family& family = tried[static_cast<std::size_t>(gain.op)];
    if (family != Family::direct || gain.bytes > room) return false;
    family = gain.family;
    room -= gain.bytes;
    return true;
  });
  return tried;
}

// For one round; at least for the largest that waits.
double room_to_try(const std::vector<Gain>& waiting, double direct_bytes) {
  double room = std::max(least_room_bytes, room_share * direct_bytes);
  for (const Gain& gain : waiting) room = std::max(room, gain.bytes);
  return room;
}

double extra_bytes(const Graph& graph, const Families& families) {
  double bytes = 0;
  for (OpId id = 0; id < graph.size(); ++id) bytes += extra_bytes(graph, id, families[static_cast<std::size_t>(id)]);
  return bytes;
}

// The fastest family of each operator where all fit into `room`; else those first that save most for their bytes.
Families best_within(const Graph& graph, std::vector<Gain> gains, double room) {
  std::ranges::stable_sort(gains, std::greater{}, &Gain::saved_us);
  std::vector<Gain> by_worth = gains;
  Families fastest = next_round(graph, gains, std::numeric_limits<double>::infinity());
  if (extra_bytes(graph, fastest) <= room) return fastest;
  const auto worth = [](const Gain& gain) { return gain.saved_us / std::max(gain.bytes, 1.0); };
  std::ranges::stable_sort(by_worth, std::greater{}, worth);
  return next_round(graph, by_worth, room);
}

}  // namespace

std::size_t weight_bytes(const Graph& graph, const Op& op) {
  std::size_t n_bytes = 0;
  for (const WeightId id : weights_of(op))
    n_bytes += static_cast<std::size_t>(volume(graph.weight(id).shape)) * size_of(graph.weight(id).type);
  return n_bytes;
}

bool is_heavy(const Graph& graph, const Op& op) {
  return as<Conv>(op) != nullptr && weight_bytes(graph, op) > heavy_weight_bytes;
}

Families fixed_families(const Graph& graph, KernelPolicy policy) {
  return Families(graph.ops.size(), policy == KernelPolicy::winograd ? Family::winograd4 : Family::direct);
}

Candidates all_candidates(const Graph& graph) {
  Candidates candidates;
  for (const Op& op : graph.ops) candidates.push_back(kernels::alternatives(op));
  return candidates;
}

Families measure_families(const Graph& graph, const Plan& plan, int rank, double most_bytes) {
  Candidates candidates = all_candidates(graph);
  return measure_families(graph, plan, rank, most_bytes, candidates);
}

Families measure_families(const Graph& graph, const Plan& plan, int rank, double most_bytes, Candidates& candidates) {
  const Plan light = light_plan(graph, plan, rank);
  const Families all_direct(graph.ops.size(), Family::direct);
  double allowed = most_bytes;  // of what is measured here
  std::vector<Gain> waiting;
  for (OpId id = 0; id < graph.size(); ++id) {
    if (plan.boxes(id, rank).empty()) continue;
    if (is_heavy(graph, graph.op(id))) allowed -= static_cast<double>(weight_bytes(graph, graph.op(id)));
    if (light.boxes(id, rank).empty()) continue;
    for (const Family family : candidates[static_cast<std::size_t>(id)])
      waiting.push_back({id, family, 0, extra_bytes(graph, id, family)});
  }
  if (waiting.empty()) return all_direct;
  const OpTimes direct = time_families(graph, light, rank, all_direct);
  double room = allowed - direct.held_bytes;
  std::erase_if(waiting, [&](const Gain& gain) { return gain.bytes > room; });
  std::vector<Gain> gains;
  while (!waiting.empty()) {
    const Families tried = next_round(graph, waiting, std::min(room, room_to_try(waiting, direct.weight_bytes)));
    const OpTimes times = time_families(graph, light, rank, tried);
    for (OpId id = 0; id < graph.size(); ++id) {
      const auto op = static_cast<std::size_t>(id);
      if (tried[op] == Family::direct) continue;
      const bool exists = times.implementations[op] != direct.implementations[op];
      if (!exists || times.least_us[op] > hopeless * direct.us[op]) std::erase(candidates[op], tried[op]);
      const double saved_us = direct.us[op] * (1 - least_gain) - times.us[op];
      if (exists && saved_us > 0) gains.push_back({id, tried[op], saved_us, extra_bytes(graph, id, tried[op])});
    }
  }
  Families families = best_within(graph, gains, room);
  if (std::isinf(room)) return families;
  // Workspaces are no sum over operators, so what was chosen is asked what it holds.
  while (families != all_direct) {
    const double over = time_families(graph, light, rank, families).held_bytes - allowed;
    if (over <= 0) break;
    room = extra_bytes(graph, families) - over;
    families = best_within(graph, gains, room);
  }
  return families;
}

}  // namespace strake::engine

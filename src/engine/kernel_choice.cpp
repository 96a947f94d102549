// SPDX-License-Identifier: Apache-2.0
#include "engine/kernel_choice.hpp"

#include <algorithm>
#include <chrono>

#include "engine/executor.hpp"
#include "engine/measure.hpp"

namespace strake::engine {

namespace {

using Clock = std::chrono::steady_clock;
using kernels::Family;

constexpr std::size_t heavy_weight_bytes = std::size_t{64} << 20;

constexpr int least_runs = 3;
constexpr int most_runs = 15;
constexpr auto time_per_round = std::chrono::milliseconds(100);

// A family must be faster than direct by this, or chance decides.
constexpr double least_gain = 0.03;

struct OpTimes {
  std::vector<double> us;                    // [op], median over runs of the sum over its kernels
  std::vector<std::string> implementations;  // [op], of the last kernel
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
  (void)executor.run();
  std::vector<std::vector<double>> samples(graph.ops.size());  // [op][run]
  const Clock::time_point end = Clock::now() + time_per_round;
  for (int i = 0; i < most_runs && (i < least_runs || Clock::now() < end); ++i) {
    (void)executor.run();
    for (auto& of_op : samples) of_op.push_back(0);
    for (std::size_t step = 0; step < program.steps().size(); ++step)
      samples[static_cast<std::size_t>(program.steps()[step].op)].back() += executor.step_us()[step];
  }
  OpTimes times{.us = {}, .implementations = std::vector<std::string>(graph.ops.size())};
  for (auto& of_op : samples) times.us.push_back(median(std::move(of_op)));
  for (const Step& step : program.steps())
    if (step.kernel != nullptr)
      times.implementations[static_cast<std::size_t>(step.op)] = step.kernel->implementation();
  return times;
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

Families measure_families(const Graph& graph, const Plan& plan, int rank) {
  const Plan light = light_plan(graph, plan, rank);
  Families families(graph.ops.size(), Family::direct);
  const OpTimes direct = time_families(graph, light, rank, families);
  std::vector<double> best = direct.us;
  for (double& us : best) us *= 1 - least_gain;
  // Each round tries every operator's next alternative.
  for (std::size_t round = 0;; ++round) {
    Families tried(graph.ops.size(), Family::direct);
    bool some = false;
    for (OpId id = 0; id < graph.size(); ++id) {
      const std::vector<Family> others = kernels::alternatives(graph.op(id));
      if (round >= others.size()) continue;
      tried[static_cast<std::size_t>(id)] = others[round];
      some = some || !light.boxes(id, rank).empty();
    }
    if (!some) return families;
    const OpTimes times = time_families(graph, light, rank, tried);
    for (std::size_t op = 0; op < families.size(); ++op) {
      if (times.implementations[op] == direct.implementations[op] || times.us[op] >= best[op]) continue;
      best[op] = times.us[op];
      families[op] = tried[op];
    }
  }
}

}  // namespace strake::engine

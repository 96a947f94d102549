// SPDX-License-Identifier: Apache-2.0
// How long planning takes: networks of the zoo on 16 and 64 unequal ranks, on one core.
// Costs are made up (time in proportion to work, some of it fixed), so that every machine plans the same.

#include <benchmark/benchmark.h>

#include <filesystem>
#include <map>
#include <string>

#include "core/rewrite/rewrite.hpp"
#include "core/view.hpp"
#include "onnx/import.hpp"
#include "onnx/zoo.hpp"
#include "partition/planner.hpp"

namespace strake {
namespace {

Graph network(const std::string& name) {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / ("strake-planning-" + name + ".onnx");
  zoo::write(name, {}, 1, file);
  Model model = onnx_import::import_model(file, {});
  std::filesystem::remove(file);
  rewrite::optimise(model.graph);
  return std::move(model.graph);
}

// Made once: writing and reading a network takes longer than planning it.
const Graph& known_network(const std::string& name) {
  static std::map<std::string, Graph> known;
  const auto found = known.find(name);
  return found != known.end() ? found->second : known.emplace(name, network(name)).first->second;
}

// 50 GFLOP/s and 10 GB/s, and 5 us for every kernel; whole maps and eighths of them.
OpCost cost_of(const Graph& graph, OpId id, int strip_axis, double slowness) {
  const double bytes = static_cast<double>(dense_bytes(whole(graph.shape(id)), graph.op(id).type));
  const double us = multiply_adds(graph, id) / 25e3 + bytes / 10e3;
  const Index extent = strip_axis < 0 ? 1 : graph.shape(id)[static_cast<std::size_t>(strip_axis)];
  OpCost cost;
  for (Index eighths = 1; eighths <= 8; ++eighths) {
    const Index rows = extent * eighths / 8;
    if (rows == 0 || (!cost.extents.empty() && rows == cost.extents.back())) continue;
    cost.extents.push_back(rows);
    cost.microseconds.push_back(slowness * (5 + us * static_cast<double>(rows) / static_cast<double>(extent)));
  }
  return cost;
}

// Speeds 1, 1, 2, 2, 4, 4, 8, 8 over and over, links of 10 Gbit/s and 20 us.
Profile made_up_profile(const Graph& graph, int n_ranks) {
  const Link link{.latency_us = 20, .us_per_byte = 0.0008, .overhead_us = 5, .overhead_us_per_byte = 0};
  Profile profile{.model = fingerprint(graph), .axis = SplitAxis::rows, .ranks = {}, .links = {}};
  const std::vector<int> axes = strip_axes(graph, profile.axis);
  for (int rank = 0; rank < n_ranks; ++rank) {
    RankProfile& one = profile.ranks.emplace_back();
    one.jitter_us = 0.3;  // as processes on a shared machine have it
    const double slowness = static_cast<double>(1 << (rank / 2 % 4));
    for (OpId id = 0; id < graph.size(); ++id)
      one.ops.push_back(cost_of(graph, id, axes[static_cast<std::size_t>(id)], slowness));
    profile.links.emplace_back(static_cast<std::size_t>(n_ranks), link)[static_cast<std::size_t>(rank)] = {};
  }
  return profile;
}

constexpr const char* networks[] = {"resnet50", "densenet121", "mobilenet_v2", "vgg16"};

void plan(benchmark::State& state) {
  const std::string name = networks[state.range(0)];
  const Graph& graph = known_network(name);
  const partition::CostModel costs(graph, made_up_profile(graph, static_cast<int>(state.range(1))));
  Plan plan;
  for (auto _ : state) plan = partition::make_plan(costs, "auto");
  state.SetLabel(name + ", " + std::to_string(state.range(1)) + " ranks");
  state.counters["predicted_ms"] = plan.predicted_us / 1000;
}

BENCHMARK(plan)
    ->ArgNames({"network", "ranks"})
    ->ArgsProduct({{0, 1, 2, 3}, {2, 16, 64}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace strake

BENCHMARK_MAIN();

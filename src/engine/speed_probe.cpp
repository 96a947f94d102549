// SPDX-License-Identifier: Apache-2.0
#include "engine/speed_probe.hpp"

#include <chrono>

#include "engine/measure.hpp"

namespace strake::engine {

namespace {

// 9.4 million multiply-adds over 0.3 MB.
constexpr Index probe_channels = 32;
constexpr Index probe_rows = 32;

constexpr auto probe_time = std::chrono::milliseconds(2);
constexpr int least_probe_runs = 2;

Graph probe_graph() {
  Graph graph;
  graph.name = "speed probe";
  const Shape map{1, probe_channels, probe_rows, probe_rows};
  const OpId input =
      graph.add({.name = "input", .inputs = {}, .shape = map, .type = ElementType::f32, .attributes = Input{}});
  graph.inputs.push_back({.op = input, .name = "input", .type = ElementType::f32});
  const WindowAxis axis{.kernel = 3, .pad_begin = 1, .pad_end = 1};
  const WeightId weights = graph.add_weight("weights", {probe_channels, probe_channels, 3, 3}, {});
  const OpId conv = graph.add(
      {.name = "convolution",
       .inputs = {input},
       .shape = map,
       .type = ElementType::f32,
       .attributes =
           Conv{.window = {.h = axis, .w = axis}, .groups = 1, .weights = weights, .bias = no_weight, .post_ops = {}}});
  graph.outputs.push_back({.op = conv, .name = "output", .type = ElementType::f32});
  return graph;
}

}  // namespace

SpeedProbe::SpeedProbe()
    : graph_(probe_graph()),
      model_(graph_, single_rank_plan(graph_, 1, 0), kernels::WeightStorage::f32,
             ProgramOptions{.exactness = kernels::Exactness::fastest, .messages = Messages::left_out},
             ExecutorOptions{}) {}

double SpeedProbe::measure(double slowdown) {
  (void)model_.executor.run();  // caches are somebody else's
  const auto begin = std::chrono::steady_clock::now();
  auto end = begin;
  int runs = 0;
  for (; runs < least_probe_runs || end - begin < probe_time; ++runs) {
    (void)model_.executor.run();
    end = std::chrono::steady_clock::now();
  }
  return microseconds(end - begin) / runs * slowdown;
}

}  // namespace strake::engine

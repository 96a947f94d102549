// SPDX-License-Identifier: Apache-2.0
#include "engine/kernel_choice.hpp"

#include <gtest/gtest.h>

#include "engine/program.hpp"

namespace strake::engine {
namespace {

// Four convolutions that Winograd suits.
Graph four_convolutions() {
  Graph graph;
  OpId last = graph.add(
      {.name = "input", .inputs = {}, .shape = {1, 64, 28, 28}, .type = ElementType::f32, .attributes = Input{}});
  graph.inputs.push_back({last, "input", ElementType::f32});
  for (int i = 0; i < 4; ++i) {
    const WeightId weights = graph.add_weight("w" + std::to_string(i), {64, 64, 3, 3}, {});
    const WindowAxis same{.kernel = 3, .pad_begin = 1, .pad_end = 1};
    last = graph.add({.name = "conv" + std::to_string(i),
                      .inputs = {last},
                      .shape = {},
                      .type = ElementType::f32,
                      .attributes = Conv{.window = {same, same}, .groups = 1, .weights = weights, .post_ops = {}}});
  }
  graph.outputs.push_back({last, "output", ElementType::f32});
  return graph;
}

double held_bytes(const Graph& graph, const Plan& plan, const Families& families) {
  kernels::WeightStore weights = kernels::WeightStore::synthetic(graph);
  const Program program(
      graph, plan, 0, nullptr, weights,
      {.exactness = kernels::Exactness::fastest, .messages = Messages::left_out, .families = families});
  return static_cast<double>(weights.size_bytes() + program.arena_bytes() + program.workspace_bytes());
}

TEST(MeasureFamilies, TakesNoLargerWeightsWithoutRoomForThem) {
  const Graph graph = four_convolutions();
  const Plan plan = single_rank_plan(graph, 1, 0);
  const Families direct = fixed_families(graph, KernelPolicy::direct);
  EXPECT_EQ(measure_families(graph, plan, 0, held_bytes(graph, plan, direct)), direct);
}

TEST(MeasureFamilies, KeepsWhatItChoosesWithinTheLimit) {
  const Graph graph = four_convolutions();
  const Plan plan = single_rank_plan(graph, 1, 0);
  const double direct = held_bytes(graph, plan, fixed_families(graph, KernelPolicy::direct));
  const double all = held_bytes(graph, plan, fixed_families(graph, KernelPolicy::winograd));
  ASSERT_GT(all, direct);
  for (const double part : {0.3, 0.6, 1.0}) {
    const double limit = direct + part * (all - direct);
    EXPECT_LE(held_bytes(graph, plan, measure_families(graph, plan, 0, limit)), limit) << part;
  }
}

}  // namespace
}  // namespace strake::engine

// SPDX-License-Identifier: Apache-2.0
// A quantised network from floats to floats: fused or not, on one rank or several.

#include <gtest/gtest.h>

#include "core/quantized_cases.hpp"
#include "property_cases.hpp"

namespace strake::test {
namespace {

Case make_quantized_case(unsigned seed, const Graph& graph, int n_ranks) {
  Random random(seed);
  Case one{.graph = graph, .plan = random_plan(random, graph, n_ranks), .inputs = {}};
  const Port& input = graph.inputs.front();
  std::vector<float> values = random.values(volume(graph.shape(input.op)));
  for (float& value : values) value *= 7;
  one.inputs[input.name] = {ElementType::f32, graph.shape(input.op), Blob::copy_of(values)};
  return one;
}

Graph fused_net() {
  Graph fused = quantized_net();
  rewrite::optimise(fused);
  return fused;
}

TEST(QuantizedNetwork, GivesWhatItGaveBeforeFusingWithinOneQuantum) {
  const Graph plain = quantized_net();
  const Graph fused = fused_net();
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const Case one = make_quantized_case(seed, fused, 1);
    const HostTensor input = one.inputs.begin()->second;
    const auto output = [&](const Graph& graph) {
      return kernels::reference_tensors(graph, {input})[static_cast<std::size_t>(graph.outputs.front().op)];
    };
    const HostTensor expected = output(plain);
    const HostTensor found = run_single(one, kernels::Exactness::fastest).begin()->second;
    expect_equal_bits({{"output", found}}, {{"output", output(fused)}});
    float largest = 0;
    for (Index i = 0; i < expected.size(); ++i) {
      largest = std::max(largest, std::abs(expected.data.floats()[static_cast<std::size_t>(i)]));
      EXPECT_NEAR(number_at(found, i), number_at(expected, i), 0.01 * 1.001) << "seed " << seed << ", logit " << i;
    }
    EXPECT_GT(largest, 0.05F) << "or nothing was compared";
  }
}

TEST(QuantizedNetwork, HasTheSameBitsOnAnyNumberOfRanks) {
  const Graph fused = fused_net();
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case one = make_quantized_case(seed, fused, 2 + static_cast<int>(seed % 4));
    const engine::TensorMap alone = run_single(one, kernels::Exactness::exact);
    expect_equal_bits(run_threads(one, kernels::Exactness::exact), alone);
    expect_equal_bits(run_threads(one, kernels::Exactness::fastest), alone);
  }
}

}  // namespace
}  // namespace strake::test

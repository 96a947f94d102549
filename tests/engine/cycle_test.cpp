// SPDX-License-Identifier: Apache-2.0
// Several frames in flight, each with inputs and a random table of its own: every one gets the bits of one rank.

#include "core/unroll.hpp"
#include "property_cases.hpp"

namespace strake::test {
namespace {

struct Cycle {
  Case one;                               // of the model; its plan is not used
  Plan plan;                              // of several frames
  std::vector<engine::TensorMap> inputs;  // [frame]
};

Cycle make_cycle(unsigned seed, int n_ranks, int n_frames) {
  Cycle cycle{.one = make_case(seed, n_ranks), .plan = {}, .inputs = {}};
  Random random(seed + 1);
  std::vector<Plan> frames;
  for (int frame = 0; frame < n_frames; ++frame) {
    frames.push_back(random_plan(random, cycle.one.graph, n_ranks));
    frames.back().axis = frames.front().axis;
    const std::vector<int> axes = strip_axes(cycle.one.graph, frames.front().axis);
    for (std::size_t i = 0; i < axes.size(); ++i) frames.back().overlap[i] = Overlap::none;
    engine::TensorMap& inputs = cycle.inputs.emplace_back();
    for (const auto& [name, tensor] : cycle.one.inputs)
      inputs[name] = {tensor.type, tensor.shape, Blob::copy_of(random.values(volume(tensor.shape)))};
  }
  cycle.plan = cycle_plan(std::move(frames), "random");
  return cycle;
}

// [frame], on rank 0.
std::vector<engine::TensorMap> run_cycle(const Cycle& cycle, int rank, comm::Communicator* communicator) {
  engine::set_threads(1);
  kernels::flush_denormals();
  Graph model = deep_copy(cycle.one.graph);
  Unrolled unrolled = unroll(model, cycle.plan);
  for (std::size_t i = 0; i < model.weights.size(); ++i)
    unrolled.graph.weights[i].values = std::move(model.weights[i].values);
  kernels::WeightStore weights(unrolled.graph);
  const engine::Program program(unrolled.graph, unrolled.plan, rank, communicator, weights,
                                {kernels::Exactness::exact, Messages::sent});
  engine::Executor executor(program, {});
  std::vector<engine::TensorMap> outputs;
  // Twice: a second cycle must not depend on what the first left behind.
  for (int round = 0; round < 2; ++round) {
    for (int frame = 0; rank == 0 && frame < cycle.plan.frames; ++frame)
      engine::write_inputs(ports_of(unrolled.graph.inputs, frame, cycle.plan.frames), program,
                           cycle.inputs[static_cast<std::size_t>(frame)]);
    (void)executor.run();
  }
  for (int frame = 0; rank == 0 && frame < cycle.plan.frames; ++frame)
    outputs.push_back(
        engine::read_outputs(unrolled.graph, ports_of(unrolled.graph.outputs, frame, cycle.plan.frames), program));
  communicator->barrier(std::chrono::seconds(60));
  return outputs;
}

// Nothing where a library's kernel cannot compute a box with the bits of the whole.
std::vector<engine::TensorMap> run_threads(const Cycle& cycle) {
  try {
    return on_threads(cycle.plan.n_ranks,
                      [&](int rank, comm::Communicator* communicator) { return run_cycle(cycle, rank, communicator); });
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("not possible with --exact"), std::string::npos) << error.what();
    return {};
  }
}

TEST(Cycle, GivesEveryFrameTheBitsOfOneRank) {
  constexpr unsigned n_cases = 150;
  unsigned ran = 0;
  for (unsigned seed = 1; seed <= n_cases; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Cycle cycle = make_cycle(seed, 1 + static_cast<int>(seed % 4), 2 + static_cast<int>(seed % 3));
    ASSERT_NO_THROW(check(cycle.one.graph, cycle.plan, cycle.plan.n_ranks));
    const std::vector<engine::TensorMap> outputs = run_threads(cycle);
    if (outputs.empty()) continue;
    ++ran;
    ASSERT_EQ(outputs.size(), cycle.inputs.size());
    for (std::size_t frame = 0; frame < outputs.size(); ++frame) {
      SCOPED_TRACE("frame " + std::to_string(frame));
      cycle.one.inputs = cycle.inputs[frame];
      expect_equal_bits(outputs[frame], run_single(cycle.one, kernels::Exactness::exact));
    }
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(ran, n_cases * 9 / 10);
}

}  // namespace
}  // namespace strake::test

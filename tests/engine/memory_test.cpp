// SPDX-License-Identifier: Apache-2.0
// What the planner takes for a plan's memory, against what its programs hold.

#include "partition/memory.hpp"

#include <gtest/gtest.h>

#include "core/rewrite/rewrite.hpp"
#include "engine/kernel_choice.hpp"
#include "engine/program.hpp"
#include "io/scratch_folder.hpp"
#include "onnx/import.hpp"
#include "onnx/zoo.hpp"
#include "partition/planner.hpp"

namespace strake::engine {
namespace {

class MemoryOfModels : public io::test::ScratchFolder {
 protected:
  // Weights, activations and workspaces of a rank's program of direct kernels, in bytes.
  static double held(const Graph& graph, const Plan& plan, int rank) {
    kernels::WeightStore weights = kernels::WeightStore::synthetic(graph);
    const Program program(graph, plan, rank, nullptr, weights,
                          {kernels::Exactness::fastest, Messages::sent, fixed_families(graph, KernelPolicy::direct)});
    return static_cast<double>(weights.size_bytes() + program.arena_bytes() + program.workspace_bytes());
  }
};

// Scratch memory comes on top of what the planner knows, and padding of channels; a few MB of a small model.
TEST_F(MemoryOfModels, IsCloseToWhatProgramsHold) {
  for (const std::string name : {"resnet18", "mobilenet_v2", "squeezenet1_1", "unet", "vgg16"}) {
    zoo::write(name, zoo::ZooSize{.h = 128, .w = 128}, 1, file("net.onnx"));
    Model model = onnx_import::import_model(file("net.onnx"), {});
    rewrite::optimise(model.graph);
    for (Weight& weight : model.graph.weights)
      if (weight.type == ElementType::f32) weight.values.reset();
    for (const int n_ranks : {1, 3}) {
      const Plan plan = partition::equal_plan(model.graph, n_ranks, SplitAxis::rows);
      Profile nothing_before;
      nothing_before.ranks.resize(static_cast<std::size_t>(n_ranks));
      const std::vector<double> predicted = partition::process_bytes(model.graph, nothing_before, plan);
      for (int rank = 0; rank < n_ranks; ++rank) {
        const double actual = held(model.graph, plan, rank);
        constexpr double mb = 1024 * 1024;
        EXPECT_NEAR(predicted[static_cast<std::size_t>(rank)], actual, 0.1 * actual + 2 * mb)
            << name << ", rank " << rank << " of " << n_ranks;
      }
    }
  }
}

}  // namespace
}  // namespace strake::engine

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The whole of a model on this rank alone, with synthetic weights: to be measured.

#include "engine/executor.hpp"

namespace strake::engine {

/// Its parts refer to each other and to the graph, which must outlive it.
struct WholeModel {
  /// @param whole  a plan for one rank
  WholeModel(const Graph& graph, Plan whole, kernels::WeightStorage storage, const ProgramOptions& program_options,
             const ExecutorOptions& executor_options)
      : weights(kernels::WeightStore::synthetic(graph, storage)),
        plan(std::move(whole)),
        program(graph, plan, 0, nullptr, weights, program_options),
        executor(program, executor_options) {}
  WholeModel(const WholeModel&) = delete;
  WholeModel& operator=(const WholeModel&) = delete;

  kernels::WeightStore weights;
  Plan plan;
  Program program;
  Executor executor;
};

}  // namespace strake::engine

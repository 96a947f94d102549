// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Measures what each operator costs on this rank, as it will run: in the order of the frame, with the weights of all
/// other operators passing through the caches in between.

#include <functional>
#include <limits>

#include "core/graph.hpp"
#include "core/profile.hpp"
#include "engine/kernel_choice.hpp"
#include "kernels/kernel.hpp"

namespace strake::engine {

struct ProfilerOptions {
  SplitAxis axis = SplitAxis::rows;
  kernels::Exactness exactness = kernels::Exactness::fastest;
  double slowdown = 1;
  KernelPolicy policy = KernelPolicy::measured;
  kernels::WeightStorage storage = kernels::WeightStorage::f32;
  double most_bytes = std::numeric_limits<double>::infinity();  // that kernels may be chosen to hold
  // Collective: waits for all ranks and gives the largest of their numbers.
  std::function<double(double mine)> largest = [](double mine) { return mine; };
};

/// Runs strips of several heights, and several parts of the channels, through the whole graph, alone and without
/// messages, and keeps the median time of each step; of a graph with more than 64 MB of weights one stretch after the
/// other. Weights are synthetic: `graph` needs no values. Operators whose weights exceed 64 MB are measured on part of
/// their channels and scaled, so that a rank never holds weights that its plan may not give it.
/// Collective: all ranks begin each strip together and repeat it until the slowest has enough, since in a frame the
/// others keep memory and caches busy as well.
[[nodiscard]] RankProfile measure_profile(const Graph& graph, const ProfilerOptions& options);

}  // namespace strake::engine

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a plan makes each rank hold.

#include <string>
#include <vector>

#include "core/plan.hpp"
#include "core/profile.hpp"

namespace strake::partition {

/// Bytes of each rank's process under `plan`: what it held before it prepared anything, its activations as the engine
/// lays them out, and the weights of direct kernels, of which a convolution that is cut along its channels holds its
/// part. Scratch memory of kernels and copies between layouts come on top. [rank]
[[nodiscard]] std::vector<double> process_bytes(const Graph& graph, const Profile& profile, const Plan& plan);

/// What to say where even the leanest plan makes some rank hold more than is allowed, in bytes.
[[nodiscard]] std::string needs_more_memory(const Graph& graph, double least, double allowed);

/// Of the rank that holds most.
[[nodiscard]] double most_process_bytes(const Graph& graph, const Profile& profile, const Plan& plan);

}  // namespace strake::partition

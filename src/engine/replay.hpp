// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Recorded costs in the place of kernels, for simulated ranks: noise of the machine that simulates decides nothing.

#include <functional>
#include <memory>

#include "core/profile.hpp"
#include "kernels/kernel.hpp"

namespace strake::engine {

/// Microseconds that a rank takes for a box of an operator's output.
using BoxCost = std::function<double(OpId, const Box&)>;

/// What `recorded` says of the simulated host of this rank: times by the host's speed, without jitter, since a replayed
/// step always takes the same. Local.
/// @param slowdown  of this rank, beside its host's
[[nodiscard]] RankProfile replayed_profile(RankProfile recorded, double slowdown);

/// The costs that planners see of a rank with this profile. `graph` must outlive them.
[[nodiscard]] BoxCost box_costs(const Graph& graph, RankProfile profile, SplitAxis axis);

/// Reads and writes nothing: simulated time passes.
[[nodiscard]] std::unique_ptr<kernels::Kernel> replayed_kernel(double us);

}  // namespace strake::engine

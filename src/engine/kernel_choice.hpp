// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which family of kernels computes each operator on one rank: measured in place, not ruled.

#include <limits>
#include <vector>

#include "core/plan.hpp"
#include "kernels/kernel.hpp"

namespace strake::engine {

/// By operator; empty means direct everywhere.
using Families = std::vector<kernels::Family>;

/// What may be chosen.
enum class KernelPolicy : unsigned char {
  measured,  // whatever is fastest here
  direct,
  winograd,  // wherever it exists, whatever it costs
};

/// The families that a policy names without measuring.
[[nodiscard]] Families fixed_families(const Graph& graph, KernelPolicy policy);

/// The families beside direct that may be worth measuring. [op]
using Candidates = std::vector<std::vector<kernels::Family>>;

/// All that the operators of `graph` have.
[[nodiscard]] Candidates all_candidates(const Graph& graph);

/// Runs the boxes of `rank` through the whole graph, alone and without messages, first by direct kernels, then by every
/// operator's candidates, and keeps for each operator the family that was fastest by more than measurements vary. So
/// every kernel is timed in the order of the frame: its weights come from memory, its input lies in the caches, as it
/// will be. Weights are synthetic. Local.
/// @param most_bytes  of weights, activations and workspace together: what does not fit is not tried, and of the rest
///                    those families are taken that save most time for their bytes
/// @param candidates  loses those that do not exist for these boxes or are far behind: smaller boxes of the same
///                    operators then need not try them again
[[nodiscard]] Families measure_families(const Graph& graph, const Plan& plan, int rank, double most_bytes,
                                        Candidates& candidates);

/// The same, of all candidates.
[[nodiscard]] Families measure_families(const Graph& graph, const Plan& plan, int rank,
                                        double most_bytes = std::numeric_limits<double>::infinity());

/// Operators whose weights are too many to be held twice while others are measured; they have one family only.
[[nodiscard]] bool is_heavy(const Graph& graph, const Op& op);

/// Bytes of an operator's weights as the model has them.
[[nodiscard]] std::size_t weight_bytes(const Graph& graph, const Op& op);

}  // namespace strake::engine

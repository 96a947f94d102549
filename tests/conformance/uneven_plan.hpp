// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A plan that gives every rank another share: what is wrong at cuts shows up.

#include "core/plan.hpp"

namespace strake::conformance {

/// Cuts [0, ..., n_rows] of uneven strips: every rank has a row where there are as many rows as ranks.
[[nodiscard]] std::vector<Index> uneven_cuts(Index n_rows, int n_ranks);

/// Uneven strips of everything that can be cut along the graph's longer axis, else along the other; the rest on rank 0.
[[nodiscard]] Plan uneven_plan(const Graph& graph, int n_ranks);

/// Ranks that produce something else than inputs and constants.
[[nodiscard]] int ranks_with_work(const Graph& graph, const Plan& plan);

}  // namespace strake::conformance

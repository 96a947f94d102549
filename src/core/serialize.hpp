// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Graphs and plans as bytes for the journey between ranks of one build. Not a file format: plan_json.hpp is.

#include <cstddef>
#include <span>
#include <vector>

#include "core/graph.hpp"
#include "core/plan.hpp"
#include "core/profile.hpp"

namespace strake {

/// Everything but the values of weights.
[[nodiscard]] std::vector<std::byte> to_bytes(const Graph& graph);
[[nodiscard]] std::vector<std::byte> to_bytes(const Plan& plan);
[[nodiscard]] std::vector<std::byte> to_bytes(const RankProfile& profile);

/// @throws InvalidInput if the bytes end early or are no such thing
[[nodiscard]] Graph graph_from_bytes(std::span<const std::byte> bytes);
[[nodiscard]] Plan plan_from_bytes(std::span<const std::byte> bytes);
[[nodiscard]] RankProfile rank_profile_from_bytes(std::span<const std::byte> bytes);

}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What verbs print about frames and ranks, as text and as JSON with the same content.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/measure.hpp"
#include "engine/session.hpp"

namespace strake::cli {

/// "p50 12.31 ms, p90 ..., min ...".
[[nodiscard]] std::string latency_text(const engine::Percentiles& ms);
[[nodiscard]] nlohmann::json latency_json(const engine::Percentiles& ms);

/// One line per rank: share, compute, wait, bytes, memory.
[[nodiscard]] std::string ranks_text(const std::vector<engine::RankReport>& ranks);
[[nodiscard]] nlohmann::json ranks_json(const std::vector<engine::RankReport>& ranks);

/// Ranks with a share above 0.
[[nodiscard]] int ranks_used(const Plan& plan, const Graph& graph);

/// Where a frame's time goes on rank 0: by operator type with its part of the frame, then by operator.
[[nodiscard]] std::string op_times_text(const Graph& graph, const std::vector<engine::OpTime>& times);

/// The plan as a table: operator, rows of each rank, bytes that travel, predicted milliseconds of each rank.
/// @param profile  null where nothing was measured; then nothing is predicted
[[nodiscard]] std::string plan_text(const Graph& graph, const Plan& plan, const Profile* profile);

/// "1.50 GB", "3.2 MB", "57 kB", "12 B".
[[nodiscard]] std::string bytes_text(double bytes);

}  // namespace strake::cli

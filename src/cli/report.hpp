// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What verbs print about frames and ranks, as text and as JSON with the same content.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/measure.hpp"
#include "engine/session.hpp"
#include "partition/live_decision.hpp"
#include "partition/verdict.hpp"

namespace strake::cli {

/// "p50 12.31 ms, p90 ..., min ...".
[[nodiscard]] std::string latency_text(const engine::Percentiles& ms);

/// One line per rank: share, compute, wait, bytes, memory.
[[nodiscard]] std::string ranks_text(const std::vector<engine::RankReport>& ranks);

/// How fast a frame could be at best, by the profile that the plan was made from, in milliseconds.
struct Bounds {
  std::optional<double> whole_rows_ms;     // each operator cut at whole rows, all ranks waiting behind it, links free
  std::optional<double> communication_ms;  // of any plan, on these links
};

/// What `run` and `bench` write as JSON: the same keys for both. What was not measured is empty, and null there.
struct FrameReport {
  std::string model;
  std::string strategy;
  int ranks_used = 0;
  int frames = 0;
  int in_flight = 1;               // frames of a cycle
  engine::Percentiles latency_ms;  // of a cycle
  std::optional<double> tail_ms;   // of them, behind the graph
  std::optional<double> predicted_ms;
  std::optional<double> best_single_ms;
  std::optional<double> ideal_speedup;
  Bounds bounds;
  std::vector<engine::RankReport> ranks;
  std::optional<std::vector<partition::LiveEvent>> events = {};  // with --live
  std::vector<double> frame_end_ms = {};                         // and when each frame was done, since the first began
};

/// Throughput, speedup and efficiency follow from the median, the best single rank and the ideal.
[[nodiscard]] nlohmann::json frame_json(const FrameReport& report);

/// How often the plan was changed, and back, in a line; empty without events.
[[nodiscard]] std::string events_text(const std::vector<partition::LiveEvent>& events);

/// Cycles that have so many frames; the last one may be fuller.
[[nodiscard]] int cycles_for(int frames, const Plan& plan);

/// "12 frames", "12 frames, 4 in flight,".
[[nodiscard]] std::string frames_text(int frames, int in_flight);

/// "p50 12.31 ms ..., 81.2 frames/s": of cycles of so many frames; without the rate where frames come one by one.
[[nodiscard]] std::string cycles_text(const engine::Percentiles& ms, int in_flight);

/// What the plan predicts, in milliseconds; empty where nobody measured before it was made.
[[nodiscard]] std::optional<double> predicted_ms(const Plan& plan);

/// Ranks that compute something.
[[nodiscard]] int ranks_used(const Plan& plan, const Graph& graph);

/// Where a frame's time goes on rank 0: by operator type with its part of the frame, then by operator.
[[nodiscard]] std::string op_times_text(const Graph& graph, const std::vector<engine::OpTime>& times);

/// Where a frame's time goes on rank 0, by kind of work: kernels, copies, waits, tail, other.
[[nodiscard]] std::string frame_parts_text(const engine::FrameParts& parts);
[[nodiscard]] nlohmann::json frame_parts_json(const engine::FrameParts& parts);

/// The plan as a table: operator, rows of each rank, bytes that travel, predicted milliseconds of each rank.
/// @param profile  null where nothing was measured; then nothing is predicted
[[nodiscard]] std::string plan_text(const Graph& graph, const Plan& plan, const Profile* profile);

/// Who computes each frame of a cycle, one line for each.
[[nodiscard]] std::string cycle_text(const Graph& graph, const Plan& plan);

/// Whether the plan helps and what holds it back, in two lines; empty where nothing was measured.
/// @param compared  the plan is the best of all strategies, so that it speaks for the cluster
[[nodiscard]] std::string verdict_text(const partition::Verdict& verdict, int n_ranks, bool compared);
[[nodiscard]] nlohmann::json verdict_json(const partition::Verdict& verdict);

/// How far the plan is from what no plan can beat, in one line; empty where nothing was measured.
[[nodiscard]] std::string bound_text(double bound_us, double predicted_us);

/// "1.50 GB", "3.2 MB", "57 kB", "12 B".
[[nodiscard]] std::string bytes_text(double bytes);

}  // namespace strake::cli

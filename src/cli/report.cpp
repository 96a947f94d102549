// SPDX-License-Identifier: Apache-2.0
#include "cli/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/table.hpp"
#include "core/unroll.hpp"
#include "core/view.hpp"
#include "partition/timeline.hpp"

namespace strake::cli {

std::string bytes_text(double bytes) {
  if (bytes >= 1e9) return fmt::format("{:.2f} GB", bytes / 1e9);
  if (bytes >= 1e6) return fmt::format("{:.1f} MB", bytes / 1e6);
  if (bytes >= 1e3) return fmt::format("{:.0f} kB", bytes / 1e3);
  return fmt::format("{:.0f} B", bytes);
}

std::string latency_text(const engine::Percentiles& ms) {
  return fmt::format("p50 {:.3f} ms, p90 {:.3f}, p99 {:.3f}, min {:.3f}, max {:.3f}, mean {:.3f}", ms.p50, ms.p90,
                     ms.p99, ms.min, ms.max, ms.mean);
}

std::string ranks_text(const std::vector<engine::RankReport>& ranks) {
  Table table(
      {"rank", "host", "threads", "share", "compute ms", "wait ms", "sent", "received", "peak MB", "predicted MB"});
  for (const engine::RankReport& rank : ranks)
    table.add({std::to_string(rank.rank), rank.host, std::to_string(rank.threads),
               fmt::format("{:.1f} %", rank.share * 100), fmt::format("{:.3f}", rank.compute_ms),
               fmt::format("{:.3f}", rank.wait_ms), bytes_text(rank.sent_bytes), bytes_text(rank.received_bytes),
               fmt::format("{:.0f}", rank.peak_rss_mb), fmt::format("{:.0f}", rank.predicted_peak_mb)});
  return table.text();
}

namespace {

nlohmann::json number_or_null(const std::optional<double>& number) {
  return number ? nlohmann::json(*number) : nlohmann::json(nullptr);
}

nlohmann::json latency_json(const engine::Percentiles& ms) {
  return {{"p50", ms.p50}, {"p90", ms.p90}, {"p99", ms.p99}, {"min", ms.min}, {"max", ms.max}, {"mean", ms.mean}};
}

nlohmann::json ranks_json(const std::vector<engine::RankReport>& ranks) {
  nlohmann::json list = nlohmann::json::array();
  for (const engine::RankReport& rank : ranks)
    list.push_back({{"rank", rank.rank},
                    {"host", rank.host},
                    {"threads", rank.threads},
                    {"share", rank.share},
                    {"compute_ms", rank.compute_ms},
                    {"wait_ms", rank.wait_ms},
                    {"sent_bytes", std::llround(rank.sent_bytes)},
                    {"received_bytes", std::llround(rank.received_bytes)},
                    {"peak_rss_mb", rank.peak_rss_mb},
                    {"predicted_peak_mb", rank.predicted_peak_mb}});
  return list;
}

}  // namespace

namespace {

nlohmann::json events_json(const std::vector<partition::LiveEvent>& events) {
  nlohmann::json list = nlohmann::json::array();
  for (const partition::LiveEvent& event : events)
    list.push_back({{"frame", event.frame},
                    {"event", event.what},
                    {"why", event.why},
                    {"factors", event.factors},
                    {"predicted_gain", event.predicted_gain},
                    {"measured_gain", event.measured_gain}});
  return list;
}

}  // namespace

nlohmann::json frame_json(const FrameReport& report) {
  std::optional<double> speedup;
  std::optional<double> efficiency;
  const double frame_ms = report.latency_ms.p50 / report.in_flight;
  if (report.best_single_ms) speedup = *report.best_single_ms / frame_ms;
  if (speedup && report.ideal_speedup) efficiency = *speedup / *report.ideal_speedup;
  nlohmann::json json = {{"model", report.model},
                         {"ranks_used", report.ranks_used},
                         {"strategy", report.strategy},
                         {"frames", report.frames},
                         {"frames_in_flight", report.in_flight},
                         {"throughput_fps", frame_ms > 0 ? 1000 / frame_ms : 0},
                         {"latency_ms", latency_json(report.latency_ms)},
                         {"tail_ms", number_or_null(report.tail_ms)},
                         {"predicted_ms", number_or_null(report.predicted_ms)},
                         {"best_single_ms", number_or_null(report.best_single_ms)},
                         {"cluster_ms", report.latency_ms.p50},
                         {"speedup", number_or_null(speedup)},
                         {"ideal_speedup", number_or_null(report.ideal_speedup)},
                         {"efficiency", number_or_null(efficiency)},
                         {"whole_rows_bound_ms", number_or_null(report.bounds.whole_rows_ms)},
                         {"communication_bound_ms", number_or_null(report.bounds.communication_ms)},
                         {"ranks", ranks_json(report.ranks)}};
  if (report.events) json["events"] = events_json(*report.events);
  if (report.events) json["frame_end_ms"] = report.frame_end_ms;
  return json;
}

std::string events_text(const std::vector<partition::LiveEvent>& events) {
  const auto count = [&](const char* what) { return std::ranges::count(events, what, &partition::LiveEvent::what); };
  if (events.empty()) return {};
  return fmt::format("live balance: {} switches, {} confirmed, {} rolled back, {} plans not worth it\n",
                     count("switched"), count("confirmed"), count("rolled-back"), count("kept"));
}

int cycles_for(int frames, const Plan& plan) { return (frames + plan.frames - 1) / plan.frames; }

std::string frames_text(int frames, int in_flight) {
  std::string text = fmt::format("{} frame{}", frames, frames == 1 ? "" : "s");
  if (in_flight > 1) text += fmt::format(", {} in flight,", in_flight);
  return text;
}

std::string cycles_text(const engine::Percentiles& ms, int in_flight) {
  if (in_flight == 1) return latency_text(ms);
  return fmt::format("{:.2f} frames/s; cycles {}", 1000 * in_flight / ms.p50, latency_text(ms));
}

std::optional<double> predicted_ms(const Plan& plan) {
  if (plan.predicted_us > 0) return plan.predicted_us / 1000;
  return std::nullopt;
}

int ranks_used(const Plan& plan, const Graph& graph) { return static_cast<int>(working_ranks(graph, plan).size()); }

std::string op_times_text(const Graph& graph, const std::vector<engine::OpTime>& times) {
  double all = 0;
  std::map<std::string, double> by_kind;
  for (const engine::OpTime& time : times) {
    by_kind[std::string(kind_name(graph.op(time.op)))] += time.compute_ms;
    by_kind["(waiting)"] += time.wait_ms;
    all += time.compute_ms + time.wait_ms;
  }
  Table kinds({"operators of rank 0", "ms", "part of frame"});
  for (const auto& [kind, ms] : by_kind)
    kinds.add({kind, fmt::format("{:.3f}", ms), fmt::format("{:.1f} %", all > 0 ? 100 * ms / all : 0)});
  Table each({"operator", "type", "compute ms", "wait ms", "kernel"});
  for (const engine::OpTime& time : times)
    each.add({graph.op(time.op).name, std::string(kind_name(graph.op(time.op))), fmt::format("{:.3f}", time.compute_ms),
              fmt::format("{:.3f}", time.wait_ms), time.implementation});
  return kinds.text() + "\n" + each.text();
}

namespace {

std::vector<std::pair<std::string, double>> named_parts(const engine::FrameParts& parts) {
  return {{"kernels", parts.kernels_ms},
          {"copies", parts.copies_ms},
          {"waits", parts.waits_ms},
          {"tail", parts.tail_ms},
          {"other", parts.other_ms}};
}

}  // namespace

std::string frame_parts_text(const engine::FrameParts& parts) {
  double all = 0;
  for (const auto& [name, ms] : named_parts(parts)) all += ms;
  Table table({"rank 0", "ms", "part of frame"});
  for (const auto& [name, ms] : named_parts(parts))
    table.add({name, fmt::format("{:.3f}", ms), fmt::format("{:.1f} %", all > 0 ? 100 * ms / all : 0)});
  return table.text();
}

nlohmann::json frame_parts_json(const engine::FrameParts& parts) {
  nlohmann::json json;
  for (const auto& [name, ms] : named_parts(parts)) json[name + "_ms"] = ms;
  return json;
}

namespace {

// Channels are marked with a c.
std::string rows_of(const BoxList& boxes, const Shape& shape, int axis) {
  if (boxes.empty()) return "-";
  const bool by_channels = shape.size() == 4 && axis != 1 && boxes.front()[1] != whole(shape)[1];
  if (by_channels) axis = 1;
  if (axis < 0) return "all";
  std::string text;
  for (const Box& box : boxes) {
    const Interval rows = box[static_cast<std::size_t>(axis)];
    text += (text.empty() ? "" : " ") + fmt::format("{}{}..{}", by_channels ? "c " : "", rows.begin, rows.end);
  }
  return text;
}

double op_us(const partition::Timeline& timeline, std::size_t rank, OpId id) {
  double us = 0;
  for (const partition::TimelineStep& step : timeline.ranks[rank])
    if (step.op == id) us += step.end_us - step.begin_us;
  return us;
}

}  // namespace

std::string plan_text(const Graph& graph, const Plan& plan, const Profile* profile) {
  std::optional<partition::CostModel> costs;
  if (profile != nullptr) costs.emplace(graph, *profile);
  std::optional<partition::Timeline> timeline;
  if (costs) timeline = partition::evaluate(*costs, plan);

  std::vector<std::string> header = {"operator", "type", "shape"};
  for (int rank = 0; rank < plan.n_ranks; ++rank) header.push_back(fmt::format("rank {}", rank));
  header.emplace_back("received");
  header.emplace_back("overlap");
  if (timeline)
    for (int rank = 0; rank < plan.n_ranks; ++rank) header.push_back(fmt::format("ms {}", rank));
  Table table(header);

  const std::vector<int> axes = strip_axes(graph, plan.axis);
  for (OpId id = 0; id < graph.size(); ++id) {
    const Op& op = graph.op(id);
    if (as<Constant>(op) != nullptr) continue;
    std::vector<std::string> row = {op.name, std::string(kind_name(op)), to_string(op.shape)};
    for (int rank = 0; rank < plan.n_ranks; ++rank)
      row.push_back(rows_of(plan.boxes(id, rank), op.shape, axes[static_cast<std::size_t>(id)]));
    double bytes = 0;
    for (const OpId input : op.inputs)
      for (const Transfer& transfer : transfers(graph, plan, input))
        bytes += costs ? costs->sent_bytes(transfer, input)
                       : static_cast<double>(dense_bytes(transfer.box, graph.op(input).type));
    row.push_back(bytes > 0 ? bytes_text(bytes) : "-");
    row.emplace_back(plan.overlap[static_cast<std::size_t>(id)] == Overlap::interior_first ? "yes" : "-");
    if (timeline)
      for (std::size_t rank = 0; rank < static_cast<std::size_t>(plan.n_ranks); ++rank)
        row.push_back(fmt::format("{:.3f}", op_us(*timeline, rank, id) / 1000));
    table.add(row);
  }
  return table.text();
}

namespace {

// "rank 3", "ranks 0, 1 and 3", "17 ranks".
std::string who(const std::vector<int>& ranks) {
  constexpr std::size_t most_named = 8;
  if (ranks.size() == 1) return fmt::format("rank {}", ranks.front());
  if (ranks.size() > most_named) return fmt::format("{} ranks", ranks.size());
  std::string text = fmt::format("ranks {}", ranks.front());
  for (std::size_t i = 1; i < ranks.size(); ++i)
    text += fmt::format("{}{}", i + 1 < ranks.size() ? ", " : " and ", ranks[i]);
  return text;
}

std::vector<std::pair<std::string, double>> named_losses(const partition::Losses& losses) {
  return {{"messages", losses.messages_us},
          {"uneven shares", losses.imbalance_us},
          {"what one rank does alone", losses.unsplit_us},
          {"smaller or repeated parts", losses.kernels_us},
          {"ranks left out", losses.left_out_us}};
}

}  // namespace

std::string cycle_text(const Graph& graph, const Plan& plan) {
  std::string text;
  for (int frame = 0; frame < plan.frames; ++frame)
    text += fmt::format("frame {}: {}\n", frame, who(working_ranks(graph, frame_plan(plan, frame))));
  return text;
}

std::string verdict_text(const partition::Verdict& verdict, int n_ranks, bool compared) {
  if (verdict.ideal_us <= 0) return "";
  const std::string took = fmt::format("{} take{} {:.3f} ms", who(verdict.ranks), verdict.ranks.size() == 1 ? "s" : "",
                                       verdict.frame_us / 1000);
  if (n_ranks == 1) return "verdict: " + took + "\n";
  std::string text;
  if (compared && verdict.ranks.size() == 1) {
    text = fmt::format("verdict: use one node: {}, ideal of all {:.3f}\n", took, verdict.ideal_us / 1000);
  } else {
    const double speedup = verdict.speedup();
    text = fmt::format("verdict: {} {}: {}, rank {} alone {:.3f} ms: {} times as fast, ideal {:.2f}\n",
                       compared ? "the cluster" : "this plan", speedup > 1 ? "helps" : "does not help", took,
                       verdict.best_rank, verdict.best_single_us / 1000,
                       speedup < 0.1 ? fmt::format("{:.2g}", speedup) : fmt::format("{:.2f}", speedup),
                       verdict.ideal_speedup);
  }
  std::string list;
  for (const auto& [name, us] : named_losses(verdict.losses)) {
    const double percent = std::round(1000 * us / verdict.frame_us) / 10;
    list += fmt::format("{}{} {:.1f} %", list.empty() ? "" : ", ", name, percent == 0 ? 0 : percent);
  }
  return text + "held back by: " + list + " of the frame\n";
}

std::string bound_text(double bound_us, double predicted_us) {
  if (bound_us <= 0) return "";
  return fmt::format(
      "bound: no plan takes less than {:.3f} ms by these costs and links; this one is {:.1f} % above it\n",
      bound_us / 1000, 100 * std::max(predicted_us / bound_us - 1, 0.0));
}

nlohmann::json verdict_json(const partition::Verdict& verdict) {
  if (verdict.ideal_us <= 0) return nullptr;
  const partition::Losses& losses = verdict.losses;
  return {{"helps", verdict.ranks.size() > 1 && verdict.speedup() > 1},
          {"ranks", verdict.ranks},
          {"frame_ms", verdict.frame_us / 1000},
          {"best_single_rank", verdict.best_rank},
          {"best_single_ms", verdict.best_single_us / 1000},
          {"speedup", verdict.speedup()},
          {"ideal_ms", verdict.ideal_us / 1000},
          {"ideal_speedup", verdict.ideal_speedup},
          {"lost_ms",
           {{"messages", losses.messages_us / 1000},
            {"imbalance", losses.imbalance_us / 1000},
            {"unsplit", losses.unsplit_us / 1000},
            {"kernels", losses.kernels_us / 1000},
            {"left_out", losses.left_out_us / 1000}}}};
}

}  // namespace strake::cli

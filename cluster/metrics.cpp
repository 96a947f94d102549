// SPDX-License-Identifier: Apache-2.0
#include "cluster/metrics.hpp"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

namespace strake::cluster {

namespace {

constexpr double ms_per_s = 1000;
constexpr double bytes_per_mb = 1024 * 1024;

// The shortest text that reads back as the same number, whatever the locale.
std::string number(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.begin(), text.end(), value);
  return error == std::errc() ? std::string(text.data(), end) : "NaN";
}

// Names of nodes and models come from outside.
std::string in_quotes(std::string_view text) {
  std::string quoted_text = "\"";
  for (const char c : text) {
    if (c == '\\' || c == '"') quoted_text += '\\';
    if (c == '\n')
      quoted_text += "\\n";
    else
      quoted_text += c;
  }
  return quoted_text + '"';
}

using Labels = std::vector<std::pair<std::string_view, std::string>>;

// One metric family after the other.
class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += "# HELP strake_" + name_ + " " + std::string(help) + "\n# TYPE strake_" + name_ + " " + std::string(type) +
             "\n";
  }
  void sample(double value, const Labels& labels = {}, std::string_view suffix = "") {
    text_ += "strake_" + name_ + std::string(suffix);
    for (std::size_t i = 0; i < labels.size(); ++i)
      text_ += (i == 0 ? "{" : ",") + std::string(labels[i].first) + "=" + in_quotes(labels[i].second);
    text_ += (labels.empty() ? " " : "} ") + number(value) + "\n";
  }
  void single(std::string_view name, std::string_view type, std::string_view help, double value) {
    family(name, type, help);
    sample(value);
  }
  void histogram(std::string_view name, std::string_view help, const Histogram& histogram) {
    family(name, "histogram", help);
    std::uint64_t below = 0;
    for (int i = 0; i < Histogram::n_classes; ++i) {
      below += histogram.counts[i];
      const bool last = i + 1 == Histogram::n_classes;
      sample(static_cast<double>(below), {{"le", last ? "+Inf" : number(Histogram::end_of(i) / ms_per_s)}}, "_bucket");
    }
    sample(histogram.sum_ms / ms_per_s, {}, "_sum");
    sample(static_cast<double>(histogram.count), {}, "_count");
  }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};

void add_frames(Exposition& out, const State& state) {
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    out.single(name, "counter", help, static_cast<double>(value));
  };
  counter("frames_submitted_total", "Frames that clients sent, repeated ones left out.", state.submitted);
  counter("frames_answered_total", "Frames whose answers were sent.", state.answered);
  counter("frames_failed_total", "Frames answered with an error of their own.", state.failed);
  counter("frames_repeated_total", "Submissions of frames that were known already.", state.repeated);
  counter("frames_busy_total", "Submissions that were sent away because the queue was full.", state.busy);
  counter("frames_replayed_total", "Frames given to a new job because the last one was lost.", state.replayed);
  counter("messages_malformed_total", "Messages that could not be read.", state.malformed);
  counter("connections_refused_total", "Connections and messages without a key that counts.", state.refused);
  counter("jobs_lost_total", "Jobs that were ended because a rank or node was lost.", state.jobs_lost);
  out.family("queue_frames", "gauge", "Frames that wait, run, or are answered and held until their client knows.");
  out.sample(static_cast<double>(state.waiting), {{"state", "waiting"}});
  out.sample(static_cast<double>(state.running), {{"state", "running"}});
  out.sample(static_cast<double>(state.held), {{"state", "held"}});
  out.single("clients", "gauge", "Clients that were heard of lately.", static_cast<double>(state.clients));
  out.histogram("frame_compute_seconds", "Time of frames in the job.", state.compute_ms);
  out.histogram("frame_latency_seconds", "Time of frames from submission to answer.", state.latency_ms);
}

void add_job(Exposition& out, const State& state) {
  out.family("info", "gauge", "1, with what runs as labels.");
  out.sample(
      1,
      {{"model", state.model}, {"model_hash", state.model_hash}, {"build", state.build}, {"strategy", state.strategy}});
  out.single("up_seconds", "gauge", "Since the supervisor started.", state.up_s);
  out.single("job_ready", "gauge", "1 while a job takes frames.", state.job == "ready" ? 1 : 0);
  out.single("job_epoch", "gauge", "Number of the job, and of its plan.", static_cast<double>(state.epoch));
  out.single("predicted_frame_seconds", "gauge", "What the plan promises; 0 where nothing was measured.",
             state.predicted_ms / ms_per_s);
  out.single("last_detection_seconds", "gauge", "From the last sign of life to the decision, of the last loss.",
             state.last_detection_ms / ms_per_s);
  out.single("last_recovery_seconds", "gauge", "From the decision to the next job that takes frames.",
             state.last_recovery_ms / ms_per_s);
  const auto ranks = [&](std::string_view name, std::string_view help, auto value) {
    out.family(name, "gauge", help);
    for (const RankState& rank : state.ranks)
      out.sample(value(rank), {{"rank", std::to_string(rank.rank)}, {"host", rank.host}});
  };
  ranks("rank_share", "Of all multiply-adds.", [](const RankState& rank) { return rank.share; });
  ranks("rank_compute_seconds", "Of a frame, median of the last ones.",
        [](const RankState& rank) { return rank.compute_ms / ms_per_s; });
  ranks("rank_wait_seconds", "Waiting for messages in a frame, median of the last ones.",
        [](const RankState& rank) { return rank.wait_ms / ms_per_s; });
  ranks("rank_sent_bytes", "Per frame.", [](const RankState& rank) { return rank.sent_bytes; });
  ranks("rank_received_bytes", "Per frame.", [](const RankState& rank) { return rank.received_bytes; });
  ranks("rank_peak_bytes", "Most memory that its process has held.",
        [](const RankState& rank) { return rank.peak_mb * bytes_per_mb; });
}

void add_nodes(Exposition& out, const State& state) {
  const auto family = [&](std::string_view name, std::string_view help, auto value) {
    out.family(name, "gauge", help);
    for (const NodeState& node : state.nodes) out.sample(value(node), {{"node", node.name}, {"host", node.host}});
  };
  family("node_up", "1 while its heartbeats come.", [](const NodeState& node) { return node.there ? 1.0 : 0.0; });
  family("node_in_job", "1 while it computes.", [](const NodeState& node) { return node.in_job ? 1.0 : 0.0; });
  family("node_slow_link", "1 while its link is too slow for it to compute.",
         [](const NodeState& node) { return node.slow_link ? 1.0 : 0.0; });
  family("node_echo_seconds", "Some kilobytes there and back, when it was last asked.",
         [](const NodeState& node) { return node.echo_ms / 1000; });
  family("node_load", "Of one minute, per core.", [](const NodeState& node) { return node.load; });
  family("node_temperature_celsius", "0 where there is no sensor.",
         [](const NodeState& node) { return node.temperature_c; });
  family("node_memory_free_bytes", "Memory that programs may still have.",
         [](const NodeState& node) { return node.memory_free_mb * bytes_per_mb; });
  family("node_clock_hertz", "Of its fastest core; 0 where it is unknown.",
         [](const NodeState& node) { return node.clock_mhz * 1e6; });
  out.family("node_losses_total", "counter", "How often it was lost.");
  for (const NodeState& node : state.nodes) out.sample(node.losses, {{"node", node.name}, {"host", node.host}});
}

}  // namespace

std::string metrics_text(const State& state) {
  Exposition out;
  add_job(out, state);
  add_frames(out, state);
  add_nodes(out, state);
  return std::move(out).text();
}

}  // namespace strake::cluster

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What can be seen of a supervisor from outside: one plain struct, filled by the supervisor, written by whoever shows
/// it.

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "cluster/preview.hpp"

namespace strake::cluster {

struct NodeState {
  std::string name;
  std::string host;
  bool there = false;
  bool in_job = false;
  int cores = 0;
  bool slow_link = false;  // it joins again when its link is as it was
  double echo_ms = 0;      // what some kilobytes took there and back when it was last asked
  int losses = 0;
  double heard_ms = 0;  // ago
  double load = 0;
  double temperature_c = 0;
  double memory_free_mb = 0;
  double clock_mhz = 0;
};

struct RankState {
  int rank = 0;
  std::string host;
  int pid = 0;          // on its host; 0 while unknown
  double heard_ms = 0;  // ago
  double share = 0;     // of all multiply-adds
  std::string axis;     // "h" or "w": along which frames are cut
  double begin = 0;     // its strip of the first operator's map, as fractions; none where both are equal
  double end = 0;
  double compute_ms = 0;  // medians over the last frames, as far as somebody looks on
  double wait_ms = 0;
  double sent_bytes = 0;  // per frame
  double received_bytes = 0;
  double peak_mb = 0;
};

/// Something that happened.
struct Event {
  double at_s = 0;   // since the supervisor started
  std::string kind;  // "job started", "rank lost", ...
  std::string text;
};

/// Latencies in classes that double; the last class has no end.
struct Histogram {
  static constexpr int n_classes = 20;
  static constexpr double first_ms = 0.25;  // the first class ends here
  std::uint64_t counts[n_classes] = {};
  double sum_ms = 0;
  std::uint64_t count = 0;

  void add(double ms);
  [[nodiscard]] static double end_of(int place);  // in ms; infinite for the last
};

struct State {
  std::string model;
  std::string model_hash;
  std::string build;
  double up_s = 0;
  std::string job = "none";  // "starting", "ready", "ending"
  std::uint64_t epoch = 0;   // of the job
  std::string strategy;
  double predicted_ms = 0;
  std::vector<NodeState> nodes;
  std::vector<RankState> ranks;
  std::size_t waiting = 0;
  std::size_t running = 0;
  std::size_t held = 0;
  std::size_t clients = 0;
  std::uint64_t submitted = 0;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;    // answered with an error
  std::uint64_t repeated = 0;  // submissions of what was known already
  std::uint64_t busy = 0;      // submissions that were sent away
  std::uint64_t replayed = 0;
  std::uint64_t malformed = 0;  // messages
  std::uint64_t refused = 0;    // connections and messages without a key that counts
  std::uint64_t jobs_lost = 0;
  double last_detection_ms = 0;  // from the last sign of life to the decision, of the last loss
  double last_recovery_ms = 0;   // from the decision to the next job that takes frames
  Histogram compute_ms;          // of frames, in the job
  Histogram latency_ms;          // from submission to answer
  std::deque<Event> events;      // the last ones

  // Not in the JSON; empty until somebody looks on and frames come.
  std::shared_ptr<const std::string> trace;  // of the last frames, as Chrome's trace viewer reads it
  std::shared_ptr<const Preview> preview;    // of the last frame
};

/// As JSON; docs/cluster.md says what its keys mean.
[[nodiscard]] std::string to_json(const State& state);

}  // namespace strake::cluster

// SPDX-License-Identifier: Apache-2.0
#include "cluster/state.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace strake::cluster {

namespace {

nlohmann::json json_of(const NodeState& node) {
  return {{"name", node.name},
          {"host", node.host},
          {"there", node.there},
          {"in_job", node.in_job},
          {"cores", node.cores},
          {"slow_link", node.slow_link},
          {"echo_ms", node.echo_ms},
          {"losses", node.losses},
          {"heard_ms", node.heard_ms},
          {"load", node.load},
          {"temperature_c", node.temperature_c},
          {"memory_free_mb", node.memory_free_mb},
          {"clock_mhz", node.clock_mhz}};
}

nlohmann::json json_of(const RankState& rank) {
  return {{"rank", rank.rank},
          {"host", rank.host},
          {"pid", rank.pid},
          {"heard_ms", rank.heard_ms},
          {"share", rank.share},
          {"axis", rank.axis},
          {"begin", rank.begin},
          {"end", rank.end},
          {"compute_ms", rank.compute_ms},
          {"wait_ms", rank.wait_ms},
          {"sent_bytes", rank.sent_bytes},
          {"received_bytes", rank.received_bytes},
          {"peak_mb", rank.peak_mb}};
}

// Classes with their ends; the last has none.
nlohmann::json json_of(const Histogram& histogram) {
  nlohmann::json classes = nlohmann::json::array();
  for (int i = 0; i < Histogram::n_classes; ++i) {
    nlohmann::json end = nullptr;
    if (i + 1 < Histogram::n_classes) end = Histogram::end_of(i);
    classes.push_back({{"up_to_ms", end}, {"count", histogram.counts[i]}});
  }
  return {{"count", histogram.count}, {"sum_ms", histogram.sum_ms}, {"classes", classes}};
}

nlohmann::json json_of(const Event& event) {
  return {{"at_s", event.at_s}, {"kind", event.kind}, {"text", event.text}};
}

template <class T>
nlohmann::json list_of(const T& items) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& item : items) list.push_back(json_of(item));
  return list;
}

}  // namespace

double Histogram::end_of(int place) {
  return place + 1 < n_classes ? std::ldexp(first_ms, place) : std::numeric_limits<double>::infinity();
}

void Histogram::add(double ms) {
  int place = 0;
  while (ms > end_of(place)) ++place;
  ++counts[place];
  ++count;
  sum_ms += ms;
}

std::string to_json(const State& state) {
  const nlohmann::json json = {
      {"model", state.model},
      {"model_hash", state.model_hash},
      {"build", state.build},
      {"up_s", state.up_s},
      {"job",
       {{"state", state.job},
        {"epoch", state.epoch},
        {"strategy", state.strategy},
        {"predicted_ms", state.predicted_ms},
        {"ranks", list_of(state.ranks)}}},
      {"nodes", list_of(state.nodes)},
      {"queue", {{"waiting", state.waiting}, {"running", state.running}, {"held", state.held}}},
      {"clients", state.clients},
      {"frames",
       {{"submitted", state.submitted},
        {"answered", state.answered},
        {"failed", state.failed},
        {"repeated", state.repeated},
        {"busy", state.busy},
        {"replayed", state.replayed}}},
      {"refused", {{"malformed", state.malformed}, {"without_key", state.refused}}},
      {"recovery",
       {{"jobs_lost", state.jobs_lost},
        {"last_detection_ms", state.last_detection_ms},
        {"last_recovery_ms", state.last_recovery_ms}}},
      {"compute_ms", json_of(state.compute_ms)},
      {"latency_ms", json_of(state.latency_ms)},
      {"events", list_of(state.events)}};
  // Names come from models and keys and may be no UTF-8.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace strake::cluster

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/cluster_options.hpp"
#include "cli/printable.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "cluster/status.hpp"

namespace strake::cli {

namespace {

struct StatusOptions {
  std::string address;
  std::string key;
  bool json = false;
};

std::string nodes_text(const nlohmann::json& state) {
  Table table({"node", "host", "state", "heard ms", "load", "temp C", "free MB", "losses"});
  for (const nlohmann::json& node : state.at("nodes")) {
    const bool there = node.at("there");
    const bool in_job = node.at("in_job");
    table.add(
        {node.at("name"), node.at("host"),
         in_job  ? "in the job"
         : there ? "there"
                 : "lost",
         fmt::format("{:.0f}", node.at("heard_ms").get<double>()), fmt::format("{:.2f}", node.at("load").get<double>()),
         fmt::format("{:.0f}", node.at("temperature_c").get<double>()),
         fmt::format("{:.0f}", node.at("memory_free_mb").get<double>()), std::to_string(node.at("losses").get<int>())});
  }
  return state.at("nodes").empty() ? "" : "\n" + table.text();
}

std::string ranks_text_of(const nlohmann::json& job) {
  Table table({"rank", "host", "share", "heard ms"});
  for (const nlohmann::json& rank : job.at("ranks"))
    table.add({std::to_string(rank.at("rank").get<int>()), rank.at("host"),
               fmt::format("{:.1f} %", 100 * rank.at("share").get<double>()),
               fmt::format("{:.0f}", rank.at("heard_ms").get<double>())});
  return job.at("ranks").empty() ? "" : "\n" + table.text();
}

std::string state_text(const nlohmann::json& state) {
  const nlohmann::json& job = state.at("job");
  const nlohmann::json& queue = state.at("queue");
  const nlohmann::json& frames = state.at("frames");
  const nlohmann::json& recovery = state.at("recovery");
  std::string text = fmt::format("{}: job {} is {}, {}; up {:.0f} s\n", state.at("model").get<std::string>(),
                                 job.at("epoch").get<std::uint64_t>(), job.at("state").get<std::string>(),
                                 job.at("strategy").get<std::string>(), state.at("up_s").get<double>());
  text += fmt::format("frames: {} answered, {} failed, {} waiting, {} running; {} clients\n",
                      frames.at("answered").get<std::uint64_t>(), frames.at("failed").get<std::uint64_t>(),
                      queue.at("waiting").get<std::uint64_t>(), queue.at("running").get<std::uint64_t>(),
                      state.at("clients").get<std::uint64_t>());
  if (const auto lost = recovery.at("jobs_lost").get<std::uint64_t>(); lost > 0)
    text += fmt::format(
        "{} jobs lost, {} frames replayed; the last was noticed after {:.0f} ms and replaced after {:.0f} ms\n", lost,
        frames.at("replayed").get<std::uint64_t>(), recovery.at("last_detection_ms").get<double>(),
        recovery.at("last_recovery_ms").get<double>());
  text += ranks_text_of(job) + nodes_text(state);
  return text;
}

int show_status(const Context& context, const StatusOptions& options) {
  expect_one_process(context, "status");
  const cluster::Address address = cluster::address_of(options.address);
  const std::string json =
      cluster::ask_status(address, identity_for(address, options.key), std::chrono::milliseconds(5000));
  if (options.json) {
    write_stdout(json + "\n");
    return 0;
  }
  try {
    write_stdout(printable(state_text(nlohmann::json::parse(json))));
  } catch (const nlohmann::json::exception&) {
    throw PeerLost("what answers at '" + address.text() + "' is no supervisor of this version");
  }
  return 0;
}

}  // namespace

void add_status(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* sub = app.add_subcommand("status", "How a cluster is doing");
  add_address(*sub, options->address);
  add_key_option(*sub, options->key);
  sub->add_flag("--json", options->json, "All of it, as JSON");
  sub->footer("Example:\n  strake status 127.0.0.1");
  sub->callback([&context, &verb, options] { verb = [&context, options] { return show_status(context, *options); }; });
}

}  // namespace strake::cli

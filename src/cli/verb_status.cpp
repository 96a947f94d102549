// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/cluster_options.hpp"
#include "cli/printable.hpp"
#include "cli/report.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "cluster/status.hpp"

namespace strake::cli {

namespace {

struct StatusOptions {
  std::string address;
  std::string key;
  bool json = false;
  double interval_s = 1;  // of top
  int count = 0;          // of its pictures; 0 until it is ended
};

std::string nodes_text(const nlohmann::json& state) {
  Table table({"node", "host", "state", "heard ms", "load", "temp C", "free MB", "losses"});
  for (const nlohmann::json& node : state.at("nodes")) {
    const bool there = node.at("there");
    const bool in_job = node.at("in_job");
    table.add(
        {node.at("name"), node.at("host"),
         in_job                             ? "in the job"
         : !there                           ? "lost"
         : node.at("slow_link").get<bool>() ? "slow link"
                                            : "there",
         fmt::format("{:.0f}", node.at("heard_ms").get<double>()), fmt::format("{:.2f}", node.at("load").get<double>()),
         fmt::format("{:.0f}", node.at("temperature_c").get<double>()),
         fmt::format("{:.0f}", node.at("memory_free_mb").get<double>()), std::to_string(node.at("losses").get<int>())});
  }
  return state.at("nodes").empty() ? "" : "\n" + table.text();
}

std::string ranks_text_of(const nlohmann::json& job) {
  Table table({"rank", "host", "share", "compute ms", "wait ms", "sent", "received", "peak MB", "heard ms"});
  const auto number = [](const nlohmann::json& rank, const char* name, const char* format) {
    return fmt::format(fmt::runtime(format), rank.at(name).get<double>());
  };
  const auto bytes = [](const nlohmann::json& rank, const char* name) {
    return bytes_text(rank.at(name).get<double>());
  };
  for (const nlohmann::json& rank : job.at("ranks"))
    table.add({std::to_string(rank.at("rank").get<int>()), rank.at("host"),
               fmt::format("{:.1f} %", 100 * rank.at("share").get<double>()), number(rank, "compute_ms", "{:.2f}"),
               number(rank, "wait_ms", "{:.2f}"), bytes(rank, "sent_bytes"), bytes(rank, "received_bytes"),
               number(rank, "peak_mb", "{:.0f}"), number(rank, "heard_ms", "{:.0f}")});
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

// What `use` makes of a state. @throws PeerLost where the text is none
template <class Use>
auto from_state(const cluster::Address& address, const std::string& json, const Use& use) {
  try {
    return use(nlohmann::json::parse(json));
  } catch (const nlohmann::json::exception&) {
    throw PeerLost("what answers at '" + address.text() + "' is no supervisor of this version");
  }
}

int show_status(const Context& context, const StatusOptions& options) {
  expect_one_process(context, "status");
  const cluster::Address address = cluster::address_of(options.address);
  const std::string json =
      cluster::ask_status(address, identity_for(address, options.key), std::chrono::milliseconds(5000));
  write_stdout(options.json ? json + "\n" : printable(from_state(address, json, state_text)));
  return 0;
}

// Frames per second between two states, and how long they took; of the later one's histogram.
std::string rate_text(const nlohmann::json& before, const nlohmann::json& now) {
  const double seconds = now.at("up_s").get<double>() - before.at("up_s").get<double>();
  const auto answered = [](const nlohmann::json& state) {
    return static_cast<double>(state.at("frames").at("answered").get<std::uint64_t>());
  };
  const auto latency = [](const nlohmann::json& state, const char* name) {
    return state.at("latency_ms").at(name).get<double>();
  };
  const double n = answered(now) - answered(before);
  const double n_latencies = latency(now, "count") - latency(before, "count");
  // Another supervisor answers than before.
  if (seconds <= 0 || n < 0 || n_latencies < 0) return "";
  std::string text = fmt::format("{:.1f} frames/s", n / seconds);
  if (n_latencies > 0)
    text += fmt::format(", {:.2f} ms each from queue to answer",
                        (latency(now, "sum_ms") - latency(before, "sum_ms")) / n_latencies);
  return text + "\n";
}

// While it cannot be reached it says so and goes on: a supervisor that is started again is what one wants to see.
int show_top(const Context& context, const StatusOptions& options) {
  expect_one_process(context, "top");
  const cluster::Address address = cluster::address_of(options.address);
  const std::optional<cluster::Identity> identity = identity_for(address, options.key);
  const bool clears = isatty(STDOUT_FILENO) != 0;
  const auto interval = std::chrono::duration<double>(options.interval_s);
  nlohmann::json before;
  bool answered = false;
  for (int i = 0; options.count == 0 || i < options.count; ++i) {
    if (i > 0) std::this_thread::sleep_for(interval);
    std::string text;
    try {
      const std::string json = cluster::ask_status(address, identity, std::chrono::milliseconds(2000));
      text = from_state(address, json, [&](nlohmann::json state) {
        std::string told = (before.is_null() ? "" : rate_text(before, state)) + state_text(state);
        before = std::move(state);
        return printable(told);
      });
      answered = true;
    } catch (const PeerLost& error) {
      // Never there: a mistyped address, more likely than a supervisor that comes later.
      if (!answered) throw;
      text = std::string(error.what()) + "\n";
    }
    write_stdout((clears ? "\x1b[H\x1b[J" : "") + text + (clears ? "" : "\n"));
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

void add_top(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* sub = app.add_subcommand("top", "How a cluster is doing, again and again");
  add_address(*sub, options->address);
  add_key_option(*sub, options->key);
  sub->add_option("--interval", options->interval_s, "Seconds from picture to picture")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  sub->add_option("--count", options->count, "So many pictures; 0 until it is ended")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  sub->footer("Example:\n  strake top 127.0.0.1");
  sub->callback([&context, &verb, options] { verb = [&context, options] { return show_top(context, *options); }; });
}

}  // namespace strake::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/context.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "cli/numbers.hpp"
#include "cli/printable.hpp"
#include "cli/slowdown_option.hpp"
#include "comm/simulation.hpp"
#include "core/log.hpp"
#include "engine/named_settings.hpp"
#include "io/file.hpp"
#include "partition/plan_json.hpp"
#include "partition/planner.hpp"

namespace strake::cli {

namespace fs = std::filesystem;

namespace {

engine::Settings settings_of(const Context& context, const CommonOptions& options) {
  engine::Settings settings = engine::settings_of({.exact = options.exact,
                                                   .kernels = options.kernels,
                                                   .weights = options.weights,
                                                   .transfer_type = options.transfer_type,
                                                   .axis = options.axis});
  settings.max_memory_mb = options.max_memory_mb;
  settings.threads = options.threads;
  settings.slowdowns = options.slowdowns;
  settings.slowdown_changes = options.slowdown_changes;
  settings.timeout = std::chrono::nanoseconds(static_cast<std::int64_t>(options.timeout_s * 1e9));
  settings.build = context.build;
  return settings;
}

}  // namespace

void add_model_options(CLI::App& app, CommonOptions& options) {
  app.add_option("MODEL", options.model, "ONNX file")->required();
  app.add_option("--shape", options.shapes,
                 "Size of an input whose dimensions the model leaves open: input=1,3,480,640")
      ->take_all();
}

void add_job_options(CLI::App& app, CommonOptions& options) {
  app.add_flag("--exact", options.exact, "The same bits on any number of ranks, however the work is cut");
  app.add_option("--kernels", options.kernels,
                 "Kernels of convolutions: auto measures which is fastest where it runs; --exact is always direct")
      ->check(CLI::IsMember({"auto", "direct", "winograd"}))
      ->capture_default_str();
  app.add_option(
         "--weights", options.weights,
         "How fully connected layers hold their weights: bf16 halves them and takes less time; verify tells the change")
      ->check(CLI::IsMember({"f32", "bf16"}))
      ->capture_default_str();
  app.add_option("--max-memory", options.max_memory_mb,
                 "MB that each rank's process may hold: faster kernels with larger weights only as far as they fit")
      ->check(check_number(number_between(1, 1e9)));
  app.add_option("--axis", options.axis, "Cut frames along rows (h) or columns (w); auto takes the longer")
      ->check(CLI::IsMember({"auto", "h", "w"}))
      ->capture_default_str();
  app.add_option("--strategy", options.strategy, "Planner; auto never takes a plan predicted slower than one rank")
      ->check(CLI::IsMember(partition::strategies()))
      ->capture_default_str();
  app.add_option(
         "--objective", options.objective,
         "What a plan is to be best at: the latency of each frame, frames per second with several in flight, or the "
         "least memory of the rank that holds most")
      ->check(CLI::IsMember(partition::objectives()))
      ->capture_default_str();
  app.add_option("--rate", options.offered_fps,
                 "Frames that come each second: with --objective throughput, the plan of least latency that keeps up")
      ->check(check_number(number_between(0.001, 1e6)));
  app.add_option("--inflight", options.most_in_flight,
                 "Frames that may be under way at once: with --objective throughput, a cycle has so many at most")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Threads per rank; by default this rank's share of the allowed cores")
      ->check(CLI::Range(1, 1024));
  add_slowdown_option(app, options.slowdowns, options.slowdown_changes);
  app.add_option("--timeout", options.timeout_s, "Seconds that a rank waits for another's message in a frame")
      ->check(check_number(number_between(0.001, 1e6)))
      ->capture_default_str();
}

void add_output_options(CLI::App& app, CommonOptions& options) {
  app.add_option("--json", options.json, "Also write what is printed to this file")->check(check_file_name());
  app.add_flag("-v,--verbose", options.verbose, "Say more: operators and their times, decisions");
  app.add_flag("-q,--quiet", options.quiet, "Print errors only");
}

void add_transfer_option(CLI::App& app, CommonOptions& options) {
  app.add_option("--transfer-dtype", options.transfer_type,
                 "As what f32 tensors travel between hosts: fewer bytes on slow links; verify tells the change")
      ->check(CLI::IsMember(std::vector<std::string>(transfer_type_names.begin(), transfer_type_names.end())))
      ->capture_default_str();
}

void add_plan_option(CLI::App& app, std::string& file) {
  app.add_option("--plan", file, "Run this plan, as strake plan -o writes it")->check(check_file_name());
}

void add_replay_option(CLI::App& app, CommonOptions& options) {
  app.add_option(
         "--replay", options.replay,
         "Under SimGrid: kernels do not run but take what this profile of one rank says (strake profile --json)")
      ->check(check_file_name());
}

void add_live_option(CLI::App& app, CommonOptions& options) {
  app.add_flag("--live", options.live,
               "Change the plan while frames run when ranks become faster or slower; ranks then hold weights twice");
}

namespace {

void check_live_options(const CLI::App& app, const CommonOptions& options) {
  const CLI::Option* live = app.get_option_no_throw("--live");
  if (live == nullptr && !options.slowdown_changes.empty())
    throw CLI::ValidationError("--emulate-slowdown", "FACTOR@BEGIN:END is for verbs that run frames: run and bench");
  if (!options.live) return;
  if (const CLI::Option* plan = app.get_option_no_throw("--plan"); plan != nullptr && plan->count() > 0)
    throw CLI::ValidationError("--live", "makes plans, but --plan gives one; give one of them");
  if (!partition::has_choice(options.strategy))
    throw CLI::ValidationError("--live", "chooses among plans, but strategy " + options.strategy +
                                             " makes one; use it with auto or a strategy of oodp's");
  if (options.objective != "latency")
    throw CLI::ValidationError("--live", "balances frames that come one by one: --objective latency");
  if (options.max_memory_mb > 0)
    throw CLI::ValidationError("--live", "holds weights twice, for which --max-memory leaves no room");
  if (!options.replay.empty()) throw CLI::ValidationError("--live", "needs real time, but --replay has none");
}

}  // namespace

void check_job_options(const CLI::App& app, const CommonOptions& options, int n_ranks) {
  const CLI::Option* plan = app.get_option_no_throw("--plan");
  for (const char* name : {"--strategy", "--axis", "--objective", "--rate", "--inflight", "--transfer-dtype"})
    if (plan != nullptr && plan->count() > 0 && app.get_option(name)->count() > 0)
      throw CLI::ValidationError(name,
                                 "says how to plan, but --plan gives a plan that is made already; give one of them");
  if (const auto* given = app.get_option_no_throw("--inflight");
      given != nullptr && given->count() > 0 && options.objective != "throughput")
    throw CLI::ValidationError("--inflight", "is for --objective throughput; give both or none");
  if (options.offered_fps > 0 && options.objective != "throughput")
    throw CLI::ValidationError("--rate", "is for --objective throughput; give both or none");
  if (options.objective == "memory" && !partition::has_choice(options.strategy))
    throw CLI::ValidationError("--objective", "memory chooses among plans, but strategy " + options.strategy +
                                                  " makes one; use it with auto or a strategy of oodp's");
  if (options.exact && options.kernels == "winograd")
    throw CLI::ValidationError("--kernels",
                               "winograd has other bits than --exact, which is always direct; give one of them");
  if (options.exact && options.transfer_type != "f32")
    throw CLI::ValidationError("--transfer-dtype", options.transfer_type +
                                                       " rounds what travels, so that bits depend on the cut, which "
                                                       "--exact rules out; give one of them");
  if (!options.replay.empty() && !comm::is_simulated())
    throw CLI::ValidationError("--replay", "needs simulated ranks: the build of preset smpi, started by smpirun");
  check_live_options(app, options);
  if (options.slowdowns.size() > static_cast<std::size_t>(n_ranks))
    throw CLI::ValidationError("--emulate-slowdown", "expected a factor for each rank, at most " +
                                                         std::to_string(n_ranks) + ", got " +
                                                         std::to_string(options.slowdowns.size()));
}

namespace {

// Devices may be named as often as one likes.
bool is_same_file(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::exists(a, error) && fs::exists(b, error)) return fs::equivalent(a, b, error) && fs::is_regular_file(a, error);
  return fs::absolute(a).lexically_normal() == fs::absolute(b).lexically_normal();
}

}  // namespace

void expect_other_file(const std::string& file, const std::vector<std::string>& others) {
  for (const std::string& other : others)
    if (!file.empty() && !other.empty() && is_same_file(file, other))
      throw InvalidInput("'" + file + "' would be overwritten: it is read, or written as something else, too");
}

void expect_other_file(const std::string& file, const InputFiles& inputs) {
  for (const auto& [name, input] : inputs) expect_other_file(file, std::vector{input});
}

void begin_verb(const Context& context, const CommonOptions& options, const std::vector<std::string>& written,
                const std::vector<std::string>& read) {
  if (options.quiet)
    spdlog::set_level(spdlog::level::err);
  else if (!context.is_root())
    spdlog::set_level(spdlog::level::warn);
  else
    spdlog::set_level(options.verbose ? spdlog::level::debug : spdlog::level::info);
  if (!context.is_root()) return;
  std::vector<std::string> named = read;
  named.push_back(options.model);
  named.push_back(options.replay);
  std::vector<std::string> all = written;
  all.push_back(options.json);
  all.push_back(options.trace);
  for (const std::string& file : all) {
    if (file.empty()) continue;
    expect_other_file(file, named);
    io::check_writable(file);
    named.push_back(file);
  }
}

OpenSession open_session(const Context& context, const CommonOptions& options, const InputOptions& inputs) {
  OpenSession open{engine::Session(context.communicator, settings_of(context, options)),
                   std::make_shared<InputFiles>()};
  if (context.is_root() && (!options.slowdowns.empty() || !options.slowdown_changes.empty()))
    log(LogLevel::info, "speeds are emulated: ranks spin after each kernel as --emulate-slowdown says");
  open.session.load([model = options.model, shapes = options.shapes, written = std::vector{options.json, options.trace},
                     inputs, files = open.files] {
    OpenedModel opened = open_model(model, shapes, inputs);
    for (const std::string& file : written) expect_other_file(file, opened.files);
    *files = std::move(opened.files);
    return std::move(opened.model);
  });
  if (options.live) open.session.keep_weights();
  if (!options.replay.empty()) {
    Profile recorded;
    if (context.is_root()) {
      io::expect_regular_file(options.replay, "a profile");
      recorded = partition::profile_from_json(io::read_file(options.replay), options.replay);
    }
    open.session.replay(recorded);
  }
  return open;
}

std::optional<engine::LiveBalance> begin_live(engine::Session& session, const CommonOptions& options,
                                              const std::optional<Profile>& profile) {
  if (!options.live || session.size() == 1) return std::nullopt;
  return std::optional<engine::LiveBalance>(
      std::in_place, session, profile,
      engine::LiveOptions{.strategy = options.strategy, .goal = goal_of(options), .rules = {}});
}

std::optional<std::vector<partition::LiveEvent>> live_events(const CommonOptions& options,
                                                             const std::optional<engine::LiveBalance>& live) {
  if (!options.live) return std::nullopt;
  return live ? live->events() : std::vector<partition::LiveEvent>{};
}

engine::TensorMap inputs_to_measure(const Context& context, const InputOptions& options, const OpenSession& open) {
  if (!context.is_root() || options.files.empty()) return engine::random_inputs(open.session.graph());
  return read_inputs(open.session.graph(), *open.files, options);
}

partition::Goal goal_of(const CommonOptions& options) {
  return {.objective = partition::objective_of(options.objective),
          .most_bytes = engine::bytes_for_plans(options.max_memory_mb),
          .offered_fps = options.offered_fps,
          .most_in_flight = options.most_in_flight};
}

engine::PlanResult make_session_plan(engine::Session& session, const CommonOptions& options,
                                     const std::string& plan_file) {
  if (plan_file.empty()) return engine::make_plan(session, {.strategy = options.strategy, .goal = goal_of(options)});
  engine::PlanResult result;
  if (session.is_root()) {
    io::expect_regular_file(plan_file, "a plan");
    result.plan = partition::plan_from_json(session.graph(), io::read_file(plan_file), session.size(), plan_file);
  }
  return result;
}

void print(const Context& context, const CommonOptions& options, const std::string& text) {
  if (context.is_root() && !options.quiet) write_stdout(printable(text));
}

void write_stdout(const std::string& text) {
  errno = 0;
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return;
  throw std::runtime_error(std::string("cannot write to stdout: ") + std::strerror(errno));
}

void write_json(const Context& context, const CommonOptions& options, const nlohmann::json& json) {
  if (!context.is_root() || options.json.empty()) return;
  // Names from model files may be no UTF-8.
  io::write_file(options.json, json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace strake::cli

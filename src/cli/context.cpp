// SPDX-License-Identifier: Apache-2.0
#include "cli/context.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/log.hpp"
#include "partition/plan_json.hpp"
#include "partition/planner.hpp"

namespace strake::cli {

namespace {

// "1,3" or "1:3": emulated slowdowns, each at least 1.
std::vector<double> slowdowns_of(const std::string& text) {
  std::vector<double> factors = numbers_of(text, "--emulate-slowdown");
  for (const double factor : factors)
    if (!(factor >= 1)) throw CLI::ValidationError("--emulate-slowdown", "factors are 1 or more, got '" + text + "'");
  return factors;
}

engine::Settings settings_of(const Context& context, const CommonOptions& options) {
  engine::Settings settings;
  settings.exactness = options.exact ? kernels::Exactness::exact : kernels::Exactness::fastest;
  if (options.axis == "h") settings.axis = SplitAxis::rows;
  if (options.axis == "w") settings.axis = SplitAxis::columns;
  settings.threads = options.threads;
  settings.slowdowns = options.slowdowns;
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
  app.add_option("--axis", options.axis, "Cut frames along rows (h) or columns (w); auto takes the longer")
      ->check(CLI::IsMember({"auto", "h", "w"}))
      ->capture_default_str();
  app.add_option("--strategy", options.strategy, "Planner; auto never takes a plan predicted slower than one rank")
      ->check(CLI::IsMember(partition::strategies()))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Threads per rank; by default this rank's share of the allowed cores")
      ->check(CLI::Range(1, 1024));
  app.add_option_function<std::string>(
      "--emulate-slowdown", [&options](const std::string& text) { options.slowdowns = slowdowns_of(text); },
      "Rank r spins after each kernel until it has taken that many times as long: 1,3,...");
  app.add_option("--timeout", options.timeout_s, "Seconds that a rank waits for another's message in a frame")
      ->check(CLI::Range(0.001, 1e6))
      ->capture_default_str();
}

void add_output_options(CLI::App& app, CommonOptions& options) {
  app.add_option("--json", options.json, "Also write what is printed to this file");
  app.add_flag("-v,--verbose", options.verbose, "Say more: operators and their times, decisions");
  app.add_flag("-q,--quiet", options.quiet, "Print errors only");
}

void set_verbosity(const Context& context, const CommonOptions& options) {
  if (options.quiet)
    spdlog::set_level(spdlog::level::err);
  else if (!context.is_root())
    spdlog::set_level(spdlog::level::warn);
  else
    spdlog::set_level(options.verbose ? spdlog::level::debug : spdlog::level::info);
}

OpenSession open_session(const Context& context, const CommonOptions& options, const InputOptions& inputs) {
  OpenSession open{engine::Session(context.communicator, settings_of(context, options)),
                   std::make_shared<InputFiles>()};
  if (context.is_root() && !options.slowdowns.empty())
    log(LogLevel::info, "speeds are emulated: ranks spin after each kernel as --emulate-slowdown says");
  open.session.load([model = options.model, shapes = options.shapes, inputs, files = open.files] {
    OpenedModel opened = open_model(model, shapes, inputs);
    *files = std::move(opened.files);
    return std::move(opened.graph);
  });
  return open;
}

PlanResult make_session_plan(engine::Session& session, const std::string& strategy, const std::string& plan_file) {
  PlanResult result;
  if (!plan_file.empty()) {
    if (session.is_root())
      result.plan = partition::plan_from_json(session.graph(), read_text(plan_file), session.size(), plan_file);
    return result;
  }
  if (strategy == "equal") {
    if (session.is_root()) result.plan = partition::equal_plan(session.graph(), session.size(), session.axis());
    return result;
  }
  if (session.size() == 1) {
    // Nobody to share with: nothing to measure.
    result.plan = single_rank_plan(session.graph(), 1, 0);
    result.plan.axis = session.axis();
    return result;
  }
  Profile profile = session.profile();
  if (!session.is_root()) return result;
  result.plan = partition::make_plan(partition::CostModel(session.graph(), profile), strategy);
  result.profile = std::move(profile);
  for (const std::string& note : result.plan.notes) log(LogLevel::debug, note);
  return result;
}

std::vector<double> numbers_of(const std::string& text, const std::string& option) {
  std::vector<double> numbers;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    std::size_t used = 0;
    try {
      numbers.push_back(std::stod(part, &used));
    } catch (const std::exception&) {
      used = 0;
    }
    if (part.empty() || used != part.size())
      throw InvalidInput(option + " expects numbers with commas between them, got '" + text + "'");
  }
  if (numbers.empty()) throw InvalidInput(option + " expects numbers with commas between them, got '" + text + "'");
  return numbers;
}

void print(const Context& context, const CommonOptions& options, const std::string& text) {
  if (!context.is_root() || options.quiet) return;
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

void write_json(const Context& context, const CommonOptions& options, const nlohmann::json& json) {
  if (context.is_root() && !options.json.empty()) write_text(options.json, json.dump(2) + "\n");
}

std::string read_text(const std::string& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) throw InvalidInput("'" + file + "' is a directory, not a file");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw InvalidInput("cannot read '" + file + "'");
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

void write_text(const std::string& file, const std::string& text) {
  const std::string partial = file + "." + std::to_string(getpid()) + ".partial";
  std::ofstream stream(partial, std::ios::binary);
  stream << text;
  stream.close();
  std::error_code error;
  if (stream) std::filesystem::rename(partial, file, error);
  if (!stream || error) {
    std::error_code ignored;
    std::filesystem::remove(partial, ignored);
    throw InvalidInput("cannot write '" + file + "'");
  }
}

}  // namespace strake::cli

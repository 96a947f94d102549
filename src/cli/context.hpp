// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What all verbs share: the options that they have in common, the ranks of this job, and how a model is opened.

#include <CLI/App.hpp>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/inputs.hpp"
#include "comm/communicator.hpp"
#include "engine/live_balance.hpp"
#include "engine/planning.hpp"
#include "engine/session.hpp"
#include "partition/planner.hpp"

namespace strake::cli {

/// Options that every verb with a model has.
struct CommonOptions {
  std::string model;
  std::vector<std::string> shapes;  // "input=1,3,480,640"
  bool exact = false;
  std::string kernels = "auto";
  std::string weights = "f32";
  std::string transfer_type = "f32";
  double max_memory_mb = 0;
  std::string axis = "auto";
  std::string strategy = "auto";
  std::string objective = "latency";
  double offered_fps = 0;  // under the objective throughput; 0 for as many frames as can be
  int most_in_flight = partition::Goal{}.most_in_flight;  // under the objective throughput
  int threads = 0;
  std::vector<double> slowdowns;
  std::vector<engine::SlowdownChange> slowdown_changes;
  bool live = false;   // of verbs that run frames
  std::string replay;  // a recorded profile
  double timeout_s = 10;
  std::string json;
  std::string trace;  // of verbs that run frames
  bool verbose = false;
  bool quiet = false;
};

void add_model_options(CLI::App& app, CommonOptions& options);
void add_job_options(CLI::App& app, CommonOptions& options);
void add_transfer_option(CLI::App& app, CommonOptions& options);
void add_plan_option(CLI::App& app, std::string& file);
void add_replay_option(CLI::App& app, CommonOptions& options);
void add_live_option(CLI::App& app, CommonOptions& options);
void add_output_options(CLI::App& app, CommonOptions& options);

/// One run of the program on one rank.
struct Context {
  comm::Communicator& communicator;
  std::string build;

  [[nodiscard]] bool is_root() const { return communicator.rank() == 0; }
};

/// Refuses options that contradict each other or the number of ranks.
/// @throws CLI::ValidationError, so for callbacks of the parser
void check_job_options(const CLI::App& app, const CommonOptions& options, int n_ranks);

/// Turns spdlog's level to what -v and -q say (ranks other than 0 only warn), and makes sure on rank 0 that `--json`,
/// `--trace` and `written` (where they are not "") can be written, before anybody measures or runs anything, and that
/// each is another file than the model and what else is `read`.
/// @throws InvalidInput
void begin_verb(const Context& context, const CommonOptions& options, const std::vector<std::string>& written = {},
                const std::vector<std::string>& read = {});

/// @throws InvalidInput if `file` (where it is not "") is one of `others`, by whatever name
void expect_other_file(const std::string& file, const std::vector<std::string>& others);
void expect_other_file(const std::string& file, const InputFiles& inputs);

/// A session with its model loaded.
struct OpenSession {
  engine::Session session;
  std::shared_ptr<InputFiles> files;  // filled on rank 0
};

/// Collective. Inputs' shapes are settled by `inputs` and `--shape`. Every rank passes the same options; files are read
/// on rank 0 only.
[[nodiscard]] OpenSession open_session(const Context& context, const CommonOptions& options,
                                       const InputOptions& inputs);

/// Local. On rank 0 the inputs from files, or where no file was given pseudo-random ones; always those on the other
/// ranks, which have no files but compute alone where single ranks are measured.
/// @throws InvalidInput
[[nodiscard]] engine::TensorMap inputs_to_measure(const Context& context, const InputOptions& options,
                                                  const OpenSession& open);

/// What the options ask of a plan.
[[nodiscard]] partition::Goal goal_of(const CommonOptions& options);

/// Collective. From a file, or made by the strategy from a profile.
[[nodiscard]] engine::PlanResult make_session_plan(engine::Session& session, const CommonOptions& options,
                                                   const std::string& plan_file);

/// Collective, after `compile`: what changes the plan while frames run, where `--live` asks for it.
/// @param profile  of the plan, as `make_session_plan` gave it
[[nodiscard]] std::optional<engine::LiveBalance> begin_live(engine::Session& session, const CommonOptions& options,
                                                            const std::optional<Profile>& profile);

/// What it did; empty without `--live`, no events where there was nothing to balance.
[[nodiscard]] std::optional<std::vector<partition::LiveEvent>> live_events(
    const CommonOptions& options, const std::optional<engine::LiveBalance>& live);

/// Writes to stdout on rank 0 unless -q. @throws std::runtime_error if stdout takes no more
void print(const Context& context, const CommonOptions& options, const std::string& text);

/// At once, not when the program ends. @throws std::runtime_error if stdout takes no more
void write_stdout(const std::string& text);

/// Writes JSON to `--json FILE`, if given, on rank 0. @throws InvalidInput if it cannot be written
void write_json(const Context& context, const CommonOptions& options, const nlohmann::json& json);

}  // namespace strake::cli

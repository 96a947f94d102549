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
#include "engine/session.hpp"

namespace strake::cli {

/// Options that every verb with a model has.
struct CommonOptions {
  std::string model;
  std::vector<std::string> shapes;  // "input=1,3,480,640"
  bool exact = false;
  std::string axis = "auto";
  std::string strategy = "auto";
  int threads = 0;
  std::vector<double> slowdowns;
  double timeout_s = 10;
  std::string json;
  bool verbose = false;
  bool quiet = false;
};

void add_model_options(CLI::App& app, CommonOptions& options);
void add_job_options(CLI::App& app, CommonOptions& options);
void add_output_options(CLI::App& app, CommonOptions& options);

/// One run of the program on one rank.
struct Context {
  comm::Communicator& communicator;
  std::string build;

  [[nodiscard]] bool is_root() const { return communicator.rank() == 0; }
};

/// Turns spdlog's level to what -v and -q say; ranks other than 0 only warn.
void set_verbosity(const Context& context, const CommonOptions& options);

/// A session with its model loaded.
struct OpenSession {
  engine::Session session;
  std::shared_ptr<InputFiles> files;  // filled on rank 0
};

/// Collective. Inputs' shapes are settled by `inputs` and `--shape`. Every rank passes the same options; files are read
/// on rank 0 only.
[[nodiscard]] OpenSession open_session(const Context& context, const CommonOptions& options,
                                       const InputOptions& inputs);

/// A plan for this session: from a file, or made by the strategy from a profile.
struct PlanResult {
  Plan plan;                       // of rank 0; the others' is empty
  std::optional<Profile> profile;  // where it was measured, on rank 0
};

/// Collective.
[[nodiscard]] PlanResult make_session_plan(engine::Session& session, const std::string& strategy,
                                           const std::string& plan_file);

/// "1,3,480,640": numbers with commas between them. @throws InvalidInput naming `option`
[[nodiscard]] std::vector<double> numbers_of(const std::string& text, const std::string& option);

/// Writes to stdout on rank 0 unless -q.
void print(const Context& context, const CommonOptions& options, const std::string& text);

/// Writes JSON to `--json FILE`, if given, on rank 0. @throws InvalidInput if it cannot be written
void write_json(const Context& context, const CommonOptions& options, const nlohmann::json& json);

/// The whole of a text file. @throws InvalidInput naming it
[[nodiscard]] std::string read_text(const std::string& file);
/// Written beside its place and renamed. @throws InvalidInput naming it
void write_text(const std::string& file, const std::string& text);

}  // namespace strake::cli

// SPDX-License-Identifier: Apache-2.0
// Starts the ranks, reads the command line, and catches errors once.

#include <malloc.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <sstream>

#include "cli/context.hpp"
#include "cli/printable.hpp"
#include "cli/verbs.hpp"
#include "comm/mpi_communicator.hpp"
#include "comm/simulation.hpp"
#include "comm/thread_communicator.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"

namespace {

using namespace strake;

constexpr int exit_failed = 1;
constexpr int exit_wrong_input = 2;

void log_to_stderr() {
  // Not through spdlog's registry, which the ranks of a simulation share: names may stand there only once.
  auto logger = std::make_shared<spdlog::logger>("strake", std::make_shared<spdlog::sinks::stderr_color_sink_st>());
  logger->set_pattern("strake: %^%l%$: %v");
  spdlog::set_default_logger(logger);
  set_log_sink([](LogLevel level, const std::string& message) {
    switch (level) {
      case LogLevel::debug:
        spdlog::debug("{}", cli::one_line(message));
        break;
      case LogLevel::info:
        spdlog::info("{}", cli::one_line(message));
        break;
      case LogLevel::warning:
        spdlog::warn("{}", cli::one_line(message));
        break;
      case LogLevel::error:
        spdlog::error("{}", cli::one_line(message));
        break;
    }
  });
}

// Where all ranks fail alike, rank 0 speaks for them: the others give it a moment. @throws JobEnded when it has spoken
void let_root_speak(comm::Communicator& communicator) {
  if (communicator.rank() == 0) return;
  for (int i = 0; i < 50; ++i) {
    communicator.look_for_leavers();
    comm::sleep_for(std::chrono::milliseconds(10));
  }
}

// Reports what the user got wrong.
int refuse(comm::Communicator& communicator, const std::string& message) {
  let_root_speak(communicator);
  spdlog::error("{}", cli::one_line(message));
  return exit_wrong_input;
}

// Reports what failed at run time, where nobody knows which ranks can still answer, and ends all of them.
int fail(comm::Communicator& communicator, const std::string& message) {
  let_root_speak(communicator);
  spdlog::error("{}", cli::one_line(message));
  if (communicator.size() > 1) communicator.abort(exit_failed);
  return exit_failed;
}

// The parser would only say that a subcommand is required.
std::string unknown_verb(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || *argv[1] == '-') return "";
  std::string known;
  for (const CLI::App* verb : app.get_subcommands(nullptr)) {
    if (verb->check_name(argv[1])) return "";
    known += (known.empty() ? "" : ", ") + verb->get_name();
  }
  return "there is no verb '" + std::string(argv[1]) + "'; there are " + known;
}

int parse_and_run(comm::Communicator& communicator, int argc, char** argv) {
  const cli::Context context{communicator, STRAKE_BUILD_ID};
  CLI::App app{"Strake runs one CNN on several unequal machines at once.", "strake"};
  app.set_version_flag("--version", "strake " STRAKE_BUILD_ID);
  app.require_subcommand(1);
  std::function<int()> verb;
  cli::add_verbs(app, context, verb);
  if (const std::string unknown = unknown_verb(app, argc, argv); !unknown.empty()) throw InvalidInput(unknown);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {
    if (!context.is_root()) return 0;
    std::ostringstream text;
    const int code = app.exit(request, text);
    cli::write_stdout(text.str());
    return code;
  } catch (const CLI::ParseError& error) {
    if (context.is_root()) spdlog::error("{} (see strake --help)", cli::one_line(error.what()));
    return exit_wrong_input;
  }
  return verb();
}

int run_or_report(comm::Communicator& communicator, int argc, char** argv) {
  try {
    return parse_and_run(communicator, argc, argv);
  } catch (const InvalidInput& error) {
    return refuse(communicator, error.what());
  } catch (const OutOfMemory& error) {
    return fail(communicator, error.what());
  } catch (const std::bad_alloc&) {
    return fail(communicator, "out of memory");
  } catch (const std::exception& error) {
    return fail(communicator, error.what());
  }
}

int run(comm::Communicator& communicator, int argc, char** argv) {
  try {
    return communicator.leave(run_or_report(communicator, argc, argv));
  } catch (const comm::JobEnded& job) {
    return communicator.leave(job.exit_code);
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Large blocks go back to the system when they are freed: weights are given up as kernels take them over.
  mallopt(M_MMAP_THRESHOLD, 128 << 10);
  log_to_stderr();
  if (!comm::launched_by_mpi()) {
    const auto alone = comm::make_thread_communicators(1);
    return run(*alone.front(), argc, argv);
  }
  try {
    comm::MpiSession mpi(argc, argv);
    const std::unique_ptr<comm::Communicator> world = comm::make_mpi_communicator();
    return run(*world, argc, argv);
  } catch (const std::exception& error) {
    spdlog::error("{}", cli::one_line(error.what()));
    return exit_failed;
  }
}

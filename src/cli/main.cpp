// SPDX-License-Identifier: Apache-2.0
// Starts the ranks, reads the command line, and catches errors once.

#include <malloc.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <thread>

#include "cli/context.hpp"
#include "cli/verbs.hpp"
#include "comm/mpi_communicator.hpp"
#include "comm/thread_communicator.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"

namespace {

using namespace strake;

constexpr int exit_failed = 1;
constexpr int exit_wrong_input = 2;

// Launchers tell their children; without one there is no need to start MPI, which costs a tenth of a second.
bool launched_by_mpi() {
#ifdef STRAKE_SMPI
  return true;
#else
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"})
    if (std::getenv(name) != nullptr) return true;
  return false;
#endif
}

void log_to_stderr() {
  auto logger = spdlog::stderr_color_st("strake");
  logger->set_pattern("strake: %^%l%$: %v");
  spdlog::set_default_logger(logger);
  set_log_sink([](LogLevel level, const std::string& message) {
    switch (level) {
      case LogLevel::debug:
        spdlog::debug(message);
        break;
      case LogLevel::info:
        spdlog::info(message);
        break;
      case LogLevel::warning:
        spdlog::warn(message);
        break;
      case LogLevel::error:
        spdlog::error(message);
        break;
    }
  });
}

// Reports an error and ends all ranks. Where all ranks fail alike, rank 0 speaks for them: the others give it a moment.
int fail(comm::Communicator& communicator, const std::string& message, int exit_code) {
  if (communicator.rank() != 0) std::this_thread::sleep_for(std::chrono::milliseconds(500));
  spdlog::error(message);
  if (communicator.size() > 1) communicator.abort(exit_code);
  return exit_code;
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
    return context.is_root() ? app.exit(request) : 0;
  } catch (const CLI::ParseError& error) {
    if (context.is_root()) spdlog::error("{} (see strake --help)", error.what());
    return exit_wrong_input;
  }
  return verb();
}

int run(comm::Communicator& communicator, int argc, char** argv) {
  try {
    return parse_and_run(communicator, argc, argv);
  } catch (const InvalidInput& error) {
    return fail(communicator, error.what(), exit_wrong_input);
  } catch (const PeerLost& error) {
    return fail(communicator, error.what(), exit_failed);
  } catch (const std::bad_alloc&) {
    return fail(communicator, "out of memory", exit_failed);
  } catch (const std::exception& error) {
    return fail(communicator, error.what(), exit_failed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Large blocks go back to the system when they are freed: weights are given up as kernels take them over.
  mallopt(M_MMAP_THRESHOLD, 128 << 10);
  log_to_stderr();
  if (!launched_by_mpi()) {
    const auto alone = comm::make_thread_communicators(1);
    return run(*alone.front(), argc, argv);
  }
  try {
    comm::MpiSession mpi(argc, argv);
    const std::unique_ptr<comm::Communicator> world = comm::make_mpi_communicator();
    return run(*world, argc, argv);
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return exit_failed;
  }
}

// SPDX-License-Identifier: Apache-2.0
#include "cli/cluster_options.hpp"

#include <spdlog/spdlog.h>

#include "cli/numbers.hpp"

namespace strake::cli {

void expect_one_process(const Context& context, const std::string& verb) {
  if (context.communicator.size() > 1)
    throw InvalidInput("strake " + verb + " is one process; start it without mpirun");
}

void set_verbosity(bool verbose, bool quiet) {
  spdlog::set_level(quiet ? spdlog::level::err : verbose ? spdlog::level::debug : spdlog::level::info);
}

std::filesystem::path key_directory(const std::string& option) {
  return option.empty() ? cluster::default_key_directory() : std::filesystem::path(option);
}

void add_address(CLI::App& app, std::string& address) {
  app.add_option("ADDRESS", address, "Of the supervisor: tcp://HOST:PORT; the port is 7300 unless given")->required();
}

void add_key_option(CLI::App& app, std::string& file) {
  app.add_option("--key", file,
                 "Key file, as strake keys add writes it; by default identity.key in STRAKE_KEYS or ~/.config/strake")
      ->check(check_file_name());
}

std::optional<cluster::Identity> identity_for(const cluster::Address& address, const std::string& file) {
  if (!file.empty()) return cluster::read_identity(file);
  if (cluster::is_loopback(address)) return std::nullopt;
  const std::filesystem::path usual = cluster::default_key_directory() / "identity.key";
  std::error_code ignored;
  if (!std::filesystem::exists(usual, ignored))
    throw InvalidInput("'" + address.text() + "' is another host, which needs a key: there is no '" + usual.string() +
                       "'; on the supervisor's host strake keys add makes one, --key names it here");
  return cluster::read_identity(usual);
}

}  // namespace strake::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a rank's host says about itself, for `strake doctor`.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/context.hpp"

namespace strake::cli {

struct InterfaceFacts {
  std::string name;
  std::string address;      // IPv4
  double claimed_mbit = 0;  // what the driver says; 0 where it says nothing
};

/// How a name of another rank's host is resolved here.
struct NameFacts {
  std::string name;
  std::vector<std::string> addresses;  // empty where nobody knows it
};

/// Numbers are 0 and texts empty where the host does not tell.
struct HostFacts {
  std::string host;
  std::string build;
  std::string cpu;
  std::string kernel_library;
  std::string instruction_set;
  std::string mpi;
  int allowed_cores = 0;
  int online_cores = 0;
  int ranks = 1;           // of this job on this host
  double quota_cores = 0;  // of the control group; 0 for no limit
  double load = 0;         // of one minute
  std::string governor;
  double clock_mhz = 0;
  double most_mhz = 0;
  double temperature_c = 0;
  double throttled = 0;  // times since the start of the machine
  double memory_mb = 0;
  double memory_free_mb = 0;
  double swap_used_mb = 0;
  std::string cache_folder;
  bool cache_writable = true;
  double cache_free_mb = 0;
  double clock_ahead_ms = 0;  // of rank 0's clock
  double clock_error_ms = 0;
  std::vector<InterfaceFacts> interfaces;  // that are up, without loopback
  std::vector<NameFacts> names;
  std::vector<std::string> loose_keys;  // secret keys that others may read
};

/// This host's, as far as it tells alone: all but ranks, clock and names.
/// @param root  of the file system; another one in tests
[[nodiscard]] HostFacts local_facts(const std::filesystem::path& root = "/");

/// The same with what this program is: build, libraries, instruction set.
[[nodiscard]] HostFacts facts_of_this_host(const Context& context);

/// How these names are resolved here.
[[nodiscard]] std::vector<NameFacts> resolve(const std::vector<std::string>& names);

[[nodiscard]] nlohmann::json to_json(const HostFacts& facts);
/// As JSON on one line; bytes that are no UTF-8 are replaced.
[[nodiscard]] std::string text_of(const HostFacts& facts);
[[nodiscard]] HostFacts facts_from_json(const nlohmann::json& json);

}  // namespace strake::cli

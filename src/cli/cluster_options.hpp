// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the verbs of the cluster share.

#include <CLI/App.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "cli/context.hpp"
#include "cluster/client.hpp"
#include "cluster/keys.hpp"

namespace strake::cli {

/// @throws InvalidInput where this is a rank of several
void expect_one_process(const Context& context, const std::string& verb);

void set_verbosity(bool verbose, bool quiet);

/// `--keys`, or where that is.
[[nodiscard]] std::filesystem::path key_directory(const std::string& option);

void add_address(CLI::App& app, std::string& address);
void add_key_option(CLI::App& app, std::string& file);

/// The key in `file` (by default the one that `strake keys add` names); nothing where the address is of this host and
/// no file was named. @throws InvalidInput
[[nodiscard]] std::optional<cluster::Identity> identity_for(const cluster::Address& address, const std::string& file);

}  // namespace strake::cli

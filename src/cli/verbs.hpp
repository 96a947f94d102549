// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The verbs of the program, one file each.

#include <CLI/App.hpp>
#include <functional>

#include "cli/context.hpp"

namespace strake::cli {

/// Registers all verbs; the one that the command line names is stored in `verb`, which gives the exit code when called.
void add_verbs(CLI::App& app, const Context& context, std::function<int()>& verb);

void add_info(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_run(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_plan(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_profile(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_verify(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_bench(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_doctor(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_keys(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_serve(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_worker(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_node(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_launch(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_submit(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_status(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_top(CLI::App& app, const Context& context, std::function<int()>& verb);
void add_zoo(CLI::App& app, const Context& context, std::function<int()>& verb);

}  // namespace strake::cli

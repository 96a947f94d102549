// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `--emulate-slowdown 1,3,2@100:300`.

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "engine/session.hpp"

namespace strake::cli {

/// By rank, with commas between: a factor, or FACTOR@BEGIN:END, which is 1 but in frames BEGIN to END (the first that
/// is as before; without it, to the last). Both lists are emptied first.
/// @throws InvalidInput that says what is wrong with which part
void read_slowdowns(const std::string& text, std::vector<double>& slowdowns,
                    std::vector<engine::SlowdownChange>& changes);

void add_slowdown_option(CLI::App& app, std::vector<double>& slowdowns, std::vector<engine::SlowdownChange>& changes);

}  // namespace strake::cli

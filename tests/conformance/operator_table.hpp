// SPDX-License-Identifier: Apache-2.0
#pragma once
/// docs/operators.md: what holds for which operator, from what the tests saw.

#include <filesystem>
#include <vector>

#include "conformance/run_case.hpp"

namespace strake::conformance {

/// A row for each operator type: cases that have it, how many pass, how many had several ranks with work.
/// @param outcomes  of a run on several ranks
/// @throws InvalidInput if the file cannot be written
void write_operator_table(const std::filesystem::path& file, const std::vector<Outcome>& outcomes);

}  // namespace strake::conformance

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The checked-in list of cases that Strake does not support, each with its reason: it can only shrink by a commit.

#include <filesystem>
#include <map>
#include <string>

#include "conformance/run_case.hpp"

namespace strake::conformance {

/// Reasons by the names of cases.
using KnownGaps = std::map<std::string, std::string>;

/// Lines "node/test_x  reason"; empty ones and those that begin with # are skipped.
/// @throws InvalidInput naming file and line: not there, no reason, a name twice
[[nodiscard]] KnownGaps read_gaps(const std::filesystem::path& file);

/// @throws InvalidInput if the file cannot be written
void write_gaps(const std::filesystem::path& file, const KnownGaps& gaps);

/// True for an answer that differs from the case's because the case itself is wrong: the list says "reference is wrong,
/// WHERE THAT IS KNOWN: " and then exactly how the answer differs.
[[nodiscard]] bool is_mistaken(const std::string& name, const Outcome& outcome, const KnownGaps& gaps);

enum class Count : unsigned char { passed, failed, skipped };

/// What a case counts as. A case that is unsupported without standing in the list has failed, and so has one that
/// passes although it stands there. A mistaken case is skipped.
/// @param line  set to what to print about the case; empty where it passed as expected
[[nodiscard]] Count judge(const std::string& name, const Outcome& outcome, const KnownGaps& gaps, std::string& line);

}  // namespace strake::conformance

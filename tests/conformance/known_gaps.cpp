// SPDX-License-Identifier: Apache-2.0
#include "conformance/known_gaps.hpp"

#include <fstream>

#include "core/errors.hpp"

namespace strake::conformance {

KnownGaps read_gaps(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw InvalidInput("cannot read '" + file.string() + "'");
  KnownGaps gaps;
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const std::string where = "'" + file.string() + "' line " + std::to_string(number);
    const std::size_t space = line.find(' ');
    const std::size_t reason = line.find_first_not_of(' ', space);
    if (space == std::string::npos || reason == std::string::npos)
      throw InvalidInput(where + ": expected a case and a reason, got '" + line + "'");
    if (!gaps.emplace(line.substr(0, space), line.substr(reason)).second)
      throw InvalidInput(where + ": '" + line.substr(0, space) + "' stands there twice");
  }
  return gaps;
}

void write_gaps(const std::filesystem::path& file, const KnownGaps& gaps) {
  std::ofstream stream(file);
  stream << "# Cases of ONNX's backend tests that Strake refuses, and why. Written by strake-conformance --update.\n";
  for (const auto& [name, reason] : gaps) stream << name << "  " << reason << '\n';
  if (!stream.flush()) throw InvalidInput("cannot write '" + file.string() + "'");
}

bool is_mistaken(const std::string& name, const Outcome& outcome, const KnownGaps& gaps) {
  const auto listed = gaps.find(name);
  return outcome.verdict == Verdict::failed && listed != gaps.end() &&
         listed->second.starts_with("reference is wrong, ") && listed->second.ends_with(": " + outcome.reason);
}

Count judge(const std::string& name, const Outcome& outcome, const KnownGaps& gaps, std::string& line) {
  const bool listed = gaps.contains(name);
  line.clear();
  switch (outcome.verdict) {
    case Verdict::passed:
      if (listed) line = "FAILED " + name + ": passes, but stands in the list of unsupported cases";
      return listed ? Count::failed : Count::passed;
    case Verdict::unsupported:
      line = (listed ? "unsupported " : "FAILED ") + name + ": " + outcome.reason;
      if (!listed) line += " (not in the list of unsupported cases)";
      return listed ? Count::skipped : Count::failed;
    case Verdict::failed:
      if (!is_mistaken(name, outcome, gaps)) break;
      line = "mistaken " + name + ": " + gaps.at(name);
      return Count::skipped;
  }
  line = "FAILED " + name + ": " + outcome.reason;
  return Count::failed;
}

}  // namespace strake::conformance

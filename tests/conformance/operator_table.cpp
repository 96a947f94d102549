// SPDX-License-Identifier: Apache-2.0
#include "conformance/operator_table.hpp"

#include <fstream>
#include <map>
#include <set>
#include <string>

#include "core/errors.hpp"

namespace strake::conformance {

namespace {

struct Row {
  int n_cases = 0;
  int n_passed = 0;
  int n_spread = 0;
};

constexpr auto introduction = R"(# Operators

Written by `strake-conformance --ranks 3 --table` from ONNX's own backend tests (Debian's `libonnx-testdata`); a test
checks that it is current. A case counts for each operator in its model. *Split* counts the cases that pass with more
than one rank at work; the others that pass run on one rank or were folded when the model was read. Cases that do not
pass are refused with a message: `tests/conformance/unsupported.txt` lists them with their reasons.

| operator | cases | pass | split |
| --- | ---: | ---: | ---: |
)";

}  // namespace

void write_operator_table(const std::filesystem::path& file, const std::vector<Outcome>& outcomes) {
  std::map<std::string, Row> rows;
  for (const Outcome& outcome : outcomes)
    for (const std::string& type : outcome.operators) {
      const bool passed = outcome.verdict == Verdict::passed;
      Row& row = rows[type];
      row.n_cases += 1;
      row.n_passed += passed ? 1 : 0;
      row.n_spread += passed && outcome.spread ? 1 : 0;
    }
  std::ofstream stream(file);
  stream << introduction;
  for (const auto& [type, row] : rows)
    stream << "| " << type << " | " << row.n_cases << " | " << row.n_passed << " | " << row.n_spread << " |\n";
  if (!stream.flush()) throw InvalidInput("cannot write '" + file.string() + "'");
}

}  // namespace strake::conformance

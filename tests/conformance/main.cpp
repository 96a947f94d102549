// SPDX-License-Identifier: Apache-2.0
// strake-conformance: runs ONNX's backend tests through the engine and counts what passes.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>

#include "conformance/known_gaps.hpp"
#include "conformance/operator_table.hpp"
#include "conformance/worker.hpp"
#include "core/errors.hpp"

namespace {

using namespace strake;
using namespace strake::conformance;

struct Options {
  std::vector<std::filesystem::path> folders;
  int n_ranks = 1;
  std::filesystem::path list = STRAKE_UNSUPPORTED_LIST;
  std::filesystem::path table;
  std::vector<std::string> without;
  bool update = false;
};

void print(const std::string& line) {
  if (line.empty()) return;
  std::puts(line.c_str());
  std::fflush(stdout);
}

// The list again, without what passes by now and with what is refused; reasons that still hold keep their words.
void update_list(const Options& options, const std::vector<Case>& cases, const std::vector<Outcome>& outcomes,
                 KnownGaps gaps) {
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (outcomes[i].verdict == Verdict::unsupported)
      gaps[cases[i].name] = outcomes[i].reason;
    else if (!is_mistaken(cases[i].name, outcomes[i], gaps))
      gaps.erase(cases[i].name);
  }
  write_gaps(options.list, gaps);
}

int run(const Options& options) {
  std::vector<Case> cases = find_cases(options.folders);
  std::erase_if(cases, [&](const Case& one) { return std::ranges::count(options.without, one.name) > 0; });
  const KnownGaps gaps = read_gaps(options.list);
  int counts[3] = {};
  int n_spread = 0;
  const auto run_one = [&](const Case& one) { return run_case(one, options.n_ranks); };
  const auto seen = [&](const Case& one, const Outcome& outcome) {
    std::string line;
    ++counts[static_cast<int>(judge(one.name, outcome, gaps, line))];
    n_spread += outcome.spread ? 1 : 0;
    print(line);
  };
  const std::vector<Outcome> outcomes = run_cases(cases, {run_one, seen});
  if (options.update) update_list(options, cases, outcomes, gaps);
  if (!options.table.empty()) write_operator_table(options.table, outcomes);
  if (options.n_ranks > 1) print(std::to_string(n_spread) + " cases had more than one rank with work");
  print(std::to_string(counts[0]) + " passed, " + std::to_string(counts[1]) + " failed, " + std::to_string(counts[2]) +
        " skipped");
  return counts[1] == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Runs every ONNX backend test case below the folders.", "strake-conformance"};
  app.add_option("folders", options.folders, "Folders with cases (model.onnx and test_data_set_N) somewhere below")
      ->required();
  app.add_option("--ranks", options.n_ranks, "Ranks, as threads of one process, each with another share of the rows")
      ->check(CLI::Range(1, 64));
  app.add_option("--list", options.list, "Cases that are known not to be supported")->capture_default_str();
  app.add_flag("--update", options.update, "Write the list anew");
  app.add_option("--without", options.without, "Cases to leave out because what they expect is wrong");
  app.add_option("--table", options.table, "Write what holds for which operator to this Markdown file");
  CLI11_PARSE(app, argc, argv);
  try {
    return run(options);
  } catch (const InvalidInput& error) {
    std::fprintf(stderr, "strake-conformance: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "strake-conformance: %s\n", error.what());
    return 1;
  }
}

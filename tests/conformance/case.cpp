// SPDX-License-Identifier: Apache-2.0
#include "conformance/case.hpp"

#include <algorithm>

#include "core/errors.hpp"

namespace strake::conformance {

namespace fs = std::filesystem;

namespace {

// PREFIX0.pb, PREFIX1.pb, ... as far as they go.
std::vector<fs::path> numbered(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> files;
  for (;;) {
    fs::path file = folder / (prefix + std::to_string(files.size()) + ".pb");
    if (!fs::exists(file)) return files;
    files.push_back(std::move(file));
  }
}

}  // namespace

std::vector<Case> find_cases(const std::vector<fs::path>& folders) {
  std::vector<Case> cases;
  for (const fs::path& folder : folders) {
    const std::size_t before = cases.size();
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
      if (entry.path().filename() != "model.onnx") continue;
      const fs::path home = fs::canonical(entry.path()).parent_path();
      cases.push_back({home.parent_path().filename().string() + "/" + home.filename().string(), home});
    }
    if (error) throw InvalidInput("cannot read the folder '" + folder.string() + "': " + error.message());
    if (cases.size() == before) throw InvalidInput("no model.onnx below '" + folder.string() + "'");
  }
  std::ranges::sort(cases, {}, &Case::name);
  // clang 14 cannot read what the library's std::ranges::unique gives.
  const auto same = [](const Case& a, const Case& b) { return a.folder == b.folder; };
  cases.erase(std::unique(cases.begin(), cases.end(), same), cases.end());
  return cases;
}

std::vector<DataSet> data_sets(const Case& one) {
  std::vector<DataSet> sets;
  for (;;) {
    const fs::path folder = one.folder / ("test_data_set_" + std::to_string(sets.size()));
    if (!fs::is_directory(folder)) return sets;
    sets.push_back({numbered(folder, "input_"), numbered(folder, "output_")});
  }
}

}  // namespace strake::conformance

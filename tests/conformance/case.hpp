// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Test cases in the form of ONNX's own backend tests: a folder with model.onnx and folders test_data_set_N, in which
/// input_M.pb and output_M.pb hold the tensors in the order of the graph's inputs and outputs.

#include <filesystem>
#include <string>
#include <vector>

namespace strake::conformance {

struct Case {
  std::string name;  // the last two folders, as "node/test_abs"
  std::filesystem::path folder;

  [[nodiscard]] std::filesystem::path model() const { return folder / "model.onnx"; }
};

/// One run of a model: files in the order of the graph's inputs and outputs.
struct DataSet {
  std::vector<std::filesystem::path> inputs;
  std::vector<std::filesystem::path> outputs;
};

/// All cases below the folders, by name.
/// @throws InvalidInput naming a folder that cannot be read or has no case
[[nodiscard]] std::vector<Case> find_cases(const std::vector<std::filesystem::path>& folders);

/// The data sets of a case in order.
[[nodiscard]] std::vector<DataSet> data_sets(const Case& one);

}  // namespace strake::conformance

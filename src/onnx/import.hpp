// SPDX-License-Identifier: Apache-2.0
#pragma once
/// ONNX files to models.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/model.hpp"

namespace strake::onnx_import {

struct ImportOptions {
  /// Shapes for inputs whose dimensions the model leaves open, by input name; checked against those it fixes.
  std::map<std::string, Shape> shapes;
  /// Values that inputs have in every frame. They settle open dimensions, and an input whose value has to be known (the
  /// sizes of a Reshape, the weights of a convolution) takes it from here and becomes a constant.
  TensorMap values;
  /// Elements that operators on constants may compute in all; files that ask for more are refused.
  double most_folded = 1 << 28;
};

/// An input as the model file declares it; -1 for a dimension that it leaves open.
struct DeclaredInput {
  std::string name;
  std::vector<Index> dims;
  std::vector<std::string> dim_names;  // symbolic name of each open dimension, "" where it has none
  ElementType type = ElementType::f32;
};

/// The inputs that need a value with every frame (initializers left out).
/// @throws InvalidInput as `import_model`
[[nodiscard]] std::vector<DeclaredInput> declared_inputs(const std::filesystem::path& file);

/// Operator types of the file that `import_model` does not know, as "node 'name' (OpType, domain)"; empty when all are
/// known.
[[nodiscard]] std::vector<std::string> unsupported(const std::filesystem::path& file);

/// "2 operators are not supported: node 'a' (..), node 'b' (..)".
[[nodiscard]] std::string unsupported_text(const std::vector<std::string>& unsupported);

/// Reads, checks and translates a model (opset 1 to 22, external data beside the file). Shape arithmetic is folded with
/// the given input shapes; 16-bit floats become f32. What cannot stand in the graph and nevertheless can be computed
/// becomes the model's tail. Not rewritten yet: see core/rewrite.
/// @throws InvalidInput naming file and node: not there, truncated, not ONNX, cyclic, a missing weight, a wrong type,
///         an open dimension that nobody gave (by name), unsupported nodes (all of them at once)
[[nodiscard]] Model import_model(const std::filesystem::path& file, const ImportOptions& options);

}  // namespace strake::onnx_import

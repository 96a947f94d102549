// SPDX-License-Identifier: Apache-2.0
#pragma once
/// ONNX files to graphs.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/graph.hpp"

namespace strake::onnx_import {

struct ImportOptions {
  /// Shapes for inputs whose dimensions the model leaves open, by input name; checked against those it fixes.
  std::map<std::string, Shape> shapes;
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

/// Reads, checks and translates a model (opset 7 to 21, external data beside the file). Shape arithmetic is folded with
/// the given input shapes; float16 weights become f32. Not rewritten yet: see core/rewrite.
/// @throws InvalidInput naming file and node: not there, truncated, not ONNX, cyclic, a missing weight, a wrong type,
/// an
///         open dimension that nobody gave (by name), unsupported operators (all of them at once)
[[nodiscard]] Graph import_model(const std::filesystem::path& file, const ImportOptions& options);

}  // namespace strake::onnx_import

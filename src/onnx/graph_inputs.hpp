// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Inputs of a model file, and the order of its nodes.

#include <onnx/onnx_pb.h>

#include <vector>

#include "onnx/import.hpp"

namespace strake::onnx_import {

/// @throws InvalidInput naming an input that is no tensor of numbers
[[nodiscard]] std::vector<DeclaredInput> inputs_of(const onnx::GraphProto& graph);

/// The declared shape with open dimensions filled in. An open first dimension is the batch: one frame unless told.
/// @throws InvalidInput naming the dimension that nothing tells, or that is not the one given
[[nodiscard]] Shape settled_shape(const DeclaredInput& input, const ImportOptions& options);

/// Nodes in an order in which each comes after those whose outputs it reads; the file's order where it has a choice.
/// @throws InvalidInput for a cycle and for a value that is made twice
[[nodiscard]] std::vector<const onnx::NodeProto*> sorted_nodes(const onnx::GraphProto& graph);

}  // namespace strake::onnx_import

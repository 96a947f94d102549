// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Nodes of opsets before 7, said as opset 7 says them.

#include <optional>

#include "onnx/translator.hpp"

namespace strake::onnx_import {

/// The node with its second operand's shape written out, where an operator of opset 1 to 6 names the axis along which
/// that broadcasts (or, as PRelu, means the channels); the operand has a new name in `translator`. Nothing where the
/// node means today what it meant then.
/// @throws InvalidInput naming the node where the operand does not fit
[[nodiscard]] std::optional<onnx::NodeProto> modernised(Translator& translator, const Node& node);

}  // namespace strake::onnx_import

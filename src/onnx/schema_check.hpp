// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a node may say at all, by ONNX's own definitions of operators.

#include "onnx/node.hpp"

namespace strake::onnx_import {

/// Misspelt attributes would be passed over in silence, and so would inputs behind the last. Opsets that are newer than
/// the library's definitions, and operators of others, are not looked at.
/// @throws InvalidInput naming the node, what it has and what its operator has
void check_against_schema(const Node& node);

}  // namespace strake::onnx_import

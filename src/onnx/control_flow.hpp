// SPDX-License-Identifier: Apache-2.0
#pragma once
/// If and Loop where it is known while importing which way they go: their bodies become nodes of the graph around them.

#include <onnx/onnx_pb.h>

#include <functional>

#include "onnx/translator.hpp"

namespace strake::onnx_import {

/// Adds the initializers and nodes of a graph to the model. Names are those of the model by then.
using AddBody = std::function<void(onnx::GraphProto&)>;

/// True for operator types that `add_control_flow` knows.
[[nodiscard]] bool is_control_flow(const std::string& type);

/// Adds the branch that is taken, or the body of a loop once for each trip.
/// @throws NotInGraph where a condition or the number of trips is computed, or is beyond all reason
void add_control_flow(Translator& translator, const Node& node, const AddBody& add_body);

}  // namespace strake::onnx_import

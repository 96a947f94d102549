// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Small changes to a model that keep it an ONNX file, so that fuzzing reaches what lies behind the parser.

#include <onnx/onnx_pb.h>

#include <random>

namespace strake::fuzz {

/// One random change: an operator type, an input's name, an attribute, sizes or values of a weight, a declared shape,
/// the opset, the order of nodes.
void mutate(onnx::ModelProto& model, std::minstd_rand& random);

}  // namespace strake::fuzz

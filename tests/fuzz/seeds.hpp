// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Models that the fuzzer begins with: small ones written here for families of operators, and the zoo's networks.

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

namespace strake::fuzz {

struct Seed {
  std::string name;
  onnx::ModelProto model;
};

/// All of them, each some kilobytes: large weights of zoo networks are made by ConstantOfShape nodes.
[[nodiscard]] std::vector<Seed> seeds();

}  // namespace strake::fuzz

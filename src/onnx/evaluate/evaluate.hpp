// SPDX-License-Identifier: Apache-2.0
#pragma once
/// ONNX's operators as plain loops over whole tensors in host memory: for constants, and for what follows the graph.

#include <string>
#include <vector>

#include "core/host_tensor.hpp"
#include "onnx/node.hpp"

namespace strake::onnx_import {

/// How much may still be computed. Sizes come from files, and a file of 100 bytes can ask for a terabyte.
class Budget {
 public:
  explicit Budget(double elements) : left_(elements) {}
  /// @throws InvalidInput naming the node where more is asked for than is left
  void take(const Node& node, double elements);

 private:
  double left_;
};

/// The outputs of a node, as many as its operator has; those that the node leaves out may be missing at the end.
/// 16-bit floats are computed as float and rounded.
/// @param inputs  null where the node leaves an optional input out
/// @throws InvalidInput naming the node: inputs that do not fit, an index outside its tensor, a type or mode that is
///         not supported, too much work
[[nodiscard]] std::vector<HostTensor> evaluate(const Node& node, const std::vector<const HostTensor*>& inputs,
                                               Budget& budget);

/// True for operator types that `evaluate` knows.
[[nodiscard]] bool can_evaluate(const std::string& type);

}  // namespace strake::onnx_import

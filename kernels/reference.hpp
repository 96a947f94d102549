// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Every operator as plain loops over whole tensors in logical order: slow, readable, and what tests trust.

#include <vector>

#include "core/graph.hpp"
#include "core/host_tensor.hpp"

namespace strake::kernels {

/// The values of every operator's output, sums in double.
/// @param inputs  by the graph's input ports, of the types of their operators
[[nodiscard]] std::vector<HostTensor> reference_tensors(const Graph& graph, const std::vector<HostTensor>& inputs);

/// The same with all values as floats, [op][element], in row-major order.
[[nodiscard]] std::vector<std::vector<float>> evaluate_reference(const Graph& graph,
                                                                 const std::vector<std::vector<float>>& inputs);

}  // namespace strake::kernels

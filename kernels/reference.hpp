// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Every operator as plain loops over whole tensors in logical order: slow, readable, and what tests trust.

#include <vector>

#include "core/graph.hpp"

namespace strake::kernels {

/// The row-major values of every operator's output, [op][element], sums in double.
/// @param inputs  row-major values by the graph's input ports
[[nodiscard]] std::vector<std::vector<float>> evaluate_reference(const Graph& graph,
                                                                 const std::vector<std::vector<float>>& inputs);

/// One operator, given the values of its inputs.
[[nodiscard]] std::vector<float> evaluate_reference(const Graph& graph, const Op& op,
                                                    const std::vector<const std::vector<float>*>& sources);

}  // namespace strake::kernels

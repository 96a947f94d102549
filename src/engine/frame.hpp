// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Values on their way between users, who have row-major tensors, and slabs.

#include <map>
#include <string>

#include "core/graph.hpp"
#include "core/host_tensor.hpp"
#include "engine/program.hpp"

namespace strake::engine {

/// Tensors by the names of the model's inputs or outputs.
using TensorMap = std::map<std::string, HostTensor>;

/// f16 inputs become f32 and back; every other type must be the port's.
/// @throws InvalidInput naming the input: unknown, missing, wrong type or shape
[[nodiscard]] TensorMap checked_inputs(const Graph& graph, TensorMap inputs);

/// Copies inputs that `checked_inputs` gave into the slabs of rank 0.
void write_inputs(const Graph& graph, const Program& program, const TensorMap& inputs);

/// The outputs of the last frame, from the slabs of rank 0, in the types of the ports.
[[nodiscard]] TensorMap read_outputs(const Graph& graph, const Program& program);

}  // namespace strake::engine

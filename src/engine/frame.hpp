// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Values on their way between users, who have row-major tensors, and slabs.

#include <span>

#include "core/graph.hpp"
#include "core/host_tensor.hpp"
#include "engine/program.hpp"

namespace strake::engine {

using strake::TensorMap;

/// Floats of other widths become f32 where the graph has f32; every other type must be the port's.
/// @throws InvalidInput naming the input: unknown, missing, wrong type or shape
[[nodiscard]] TensorMap checked_inputs(const Graph& graph, TensorMap inputs);

/// Copies inputs that `checked_inputs` gave into the slabs of rank 0.
/// @param ports  of the program's graph: all inputs, or those of one frame of several
void write_inputs(std::span<const Port> ports, const Program& program, const TensorMap& inputs);

/// The outputs of the last frame, from the slabs of rank 0, in the types of the ports.
/// @param graph  the program's
/// @param ports  all its outputs, or those of one frame of several
[[nodiscard]] TensorMap read_outputs(const Graph& graph, std::span<const Port> ports, const Program& program);

/// Inputs for measuring: the same pseudo-random values on every machine.
[[nodiscard]] TensorMap random_inputs(const Graph& graph);

}  // namespace strake::engine

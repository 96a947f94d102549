// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Shapes of outputs from shapes of inputs.

#include <optional>

#include "core/graph.hpp"

namespace strake {

/// The shape of `op`'s output. Operators whose shape no input tells (Input, Constant, Reshape, Slice, Pad) keep
/// `op.shape`, which is checked against their inputs. A Pool may come with the shape that rounding up gives (ONNX's
/// ceil_mode) and keeps it; without a shape it rounds down.
/// @param graph  holds the operators that `op.inputs` names and the weights that it names; not `op` itself
/// @throws InvalidInput naming the operator, what was expected and what came
[[nodiscard]] Shape infer_shape(const Graph& graph, const Op& op);

/// The type of `op`'s output: what computes is f32 unless its family says otherwise, what only moves cells keeps
/// theirs.
/// @throws InvalidInput where an input has a type that the operator cannot take
[[nodiscard]] ElementType infer_type(const Graph& graph, const Op& op);

/// The shape of a numpy broadcast of `a` and `b`; empty optional where they do not fit.
[[nodiscard]] std::optional<Shape> broadcast(const Shape& a, const Shape& b);

}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A model: operators in topological order, and a table of weights.

#include <string>
#include <vector>

#include "core/blob.hpp"
#include "core/op.hpp"

namespace strake {

/// A constant of the model: (m, c, kh, kw) for convolutions, row-major as in the file. Everything but the values of
/// Constant operators and what an IntegerConv names is f32. `values` may be empty on a rank that was not sent it.
struct Weight {
  std::string name;
  Shape shape;
  Blob values;
  ElementType type = ElementType::f32;
};

/// A value that a user puts in or gets out, under the name and type of the model file.
struct Port {
  OpId op = 0;
  std::string name;
  ElementType type = ElementType::f32;  // f16 ports convert where the value enters or leaves the program
};

/// Operators are numbered by their place in `ops`; inputs of an operator have smaller numbers than it.
struct Graph {
  std::string name;
  std::vector<Op> ops;
  std::vector<Weight> weights;
  std::vector<Port> inputs;   // each names an Input operator
  std::vector<Port> outputs;  // any operators; one operator may stand here twice

  [[nodiscard]] OpId size() const { return static_cast<OpId>(ops.size()); }
  [[nodiscard]] const Op& op(OpId id) const { return ops[static_cast<std::size_t>(id)]; }
  [[nodiscard]] Op& op(OpId id) { return ops[static_cast<std::size_t>(id)]; }
  [[nodiscard]] const Shape& shape(OpId id) const { return op(id).shape; }
  [[nodiscard]] const Weight& weight(WeightId id) const { return weights[static_cast<std::size_t>(id)]; }
  [[nodiscard]] Weight& weight(WeightId id) { return weights[static_cast<std::size_t>(id)]; }

  /// Appends an operator, infers its shape and type from its inputs and gives back its number.
  /// `op.shape` must be set for Input, Constant, Reshape, Expand, Slice, Pad, BorderPad, Resize, MaxUnpool and
  /// RoiAlign, for a pooling that rounds up and for a DepthToSpace that leaves cells out; see `infer_shape`.
  /// @throws InvalidInput if inputs do not fit, naming the operator
  OpId add(Op op);

  /// Appends a weight and gives back its number.
  WeightId add_weight(std::string weight_name, Shape shape, Blob values, ElementType type = ElementType::f32);
};

/// Operators that read each operator, ascending, each once.
[[nodiscard]] std::vector<std::vector<OpId>> consumers(const Graph& graph);

/// Multiply-adds of the whole operator; 0 for everything but convolutions and MatMul.
[[nodiscard]] double multiply_adds(const Graph& graph, OpId id);

/// Multiply-adds for the box `dst` of the operator's output.
[[nodiscard]] double multiply_adds(const Graph& graph, OpId id, const Box& dst);

/// Elements in all weights that operators use.
[[nodiscard]] Index parameters(const Graph& graph);

/// 16 hexadecimal digits that change with structure, names, shapes and attributes, not with the values of weights.
[[nodiscard]] std::string fingerprint(const Graph& graph);

}  // namespace strake

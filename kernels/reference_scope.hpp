// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the loops of the reference share. Only for the files of the reference.

#include <functional>
#include <optional>
#include <vector>

#include "core/graph.hpp"
#include "core/host_tensor.hpp"

namespace strake::kernels {

using Indices = std::vector<Index>;

[[nodiscard]] inline Index flat(const Shape& shape, const Indices& at) {
  Index place = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) place = place * shape[axis] + at[axis];
  return place;
}

/// Calls body(index) for every cell of a shape, in row-major order.
inline void for_each(const Shape& shape, const std::function<void(const Indices&)>& body) {
  Indices at(shape.size(), 0);
  for (Index n = volume(shape); n > 0; --n) {
    body(at);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++at[axis] < shape[axis]) break;
      at[axis] = 0;
    }
  }
}

[[nodiscard]] double activated(const Activation& function, double x);

/// What one operator's loops see.
struct Scope {
  const Graph& graph;
  const Op& op;
  const std::vector<const HostTensor*>& sources;

  [[nodiscard]] const Shape& shape(std::size_t input) const { return graph.shape(op.inputs[input]); }
  /// A cell of any type; a long double has all 64-bit integers.
  [[nodiscard]] long double number(std::size_t input, const Indices& index) const {
    const HostTensor& source = *sources[input];
    return with_type(source.type, [&]<class T>(std::type_identity<T>) {
      return static_cast<long double>(reinterpret_cast<const T*>(source.data.data())[flat(shape(input), index)]);
    });
  }
  [[nodiscard]] float at(std::size_t input, const Indices& index) const {
    return static_cast<float>(number(input, index));
  }
  /// The cell that numpy broadcasting puts at `o`.
  [[nodiscard]] long double broadcast_number(std::size_t input, const Indices& o) const {
    Indices at(o.end() - static_cast<std::ptrdiff_t>(shape(input).size()), o.end());
    for (std::size_t axis = 0; axis < at.size(); ++axis)
      if (shape(input)[axis] == 1) at[axis] = 0;
    return number(input, at);
  }
  [[nodiscard]] float weight(WeightId id, Index place) const {
    return graph.weight(id).values.floats()[static_cast<std::size_t>(place)];
  }
  /// Post-ops of the cell at `index`, whose value so far is `x`.
  [[nodiscard]] double finished(const std::vector<PostOp>& post_ops, const Indices& index, double x) const {
    for (const PostOp& post_op : post_ops) {
      if (const auto* f = std::get_if<Activation>(&post_op))
        x = activated(*f, x);
      else
        x += static_cast<double>(at(static_cast<std::size_t>(std::get<AddInput>(post_op).input), index));
    }
    return x;
  }
};

/// The cell at `o` of the operators that compute or take one cell of each input: Elementwise, Binary, Pointwise,
/// Expand, Tile, Trilu. Nothing for other operators.
[[nodiscard]] std::optional<long double> pointwise_at(const Scope& s, const Indices& o);

/// The same for those of core/ops/integer_ops.hpp.
[[nodiscard]] std::optional<long double> integer_at(const Scope& s, const Indices& o);

/// x as quantize makes it, bounded to integers of `type`.
[[nodiscard]] float quantized(ElementType type, float x, float scale, float zero);

/// The same for the operators of core/ops/window_ops.hpp and core/ops/resize.hpp.
[[nodiscard]] std::optional<long double> window_at(const Scope& s, const Indices& o);

/// The cell at `o` of the operators that go along axes: reductions, Softmax, CumSum, Normalize, MatMul. Nothing for
/// other operators.
[[nodiscard]] std::optional<long double> along_at(const Scope& s, const Indices& o);

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Short ways to build graphs in tests. Weights have shapes, but no values: nothing here computes.

#include <string>
#include <utility>

#include "core/graph.hpp"
#include "core/print.hpp"

namespace strake::test {

inline OpId add_op(Graph& graph, std::vector<OpId> inputs, Attributes attributes, Shape shape = {}) {
  const std::string name = "op" + std::to_string(graph.size());
  return graph.add({.name = name,
                    .inputs = std::move(inputs),
                    .shape = std::move(shape),
                    .type = ElementType::f32,
                    .attributes = std::move(attributes)});
}

inline OpId add_input(Graph& graph, Shape shape, ElementType type = ElementType::f32) {
  const OpId id = add_op(graph, {}, Input{}, std::move(shape));
  graph.op(id).type = type;
  graph.inputs.push_back({.op = id, .name = graph.op(id).name, .type = type});
  return id;
}

inline void add_output(Graph& graph, OpId id) {
  graph.outputs.push_back({.op = id, .name = "out" + std::to_string(graph.outputs.size()), .type = ElementType::f32});
}

inline OpId add_constant(Graph& graph, const Shape& shape) {
  const WeightId value = graph.add_weight("constant", shape, {});
  return add_op(graph, {}, Constant{.value = value}, shape);
}

/// The same window along rows and columns.
inline Window2d square(WindowAxis axis) { return {.h = axis, .w = axis}; }

inline OpId add_conv(Graph& graph, OpId src, Index channels, Window2d window, Index groups = 1) {
  const WeightId weights =
      graph.add_weight("weights", {channels, graph.shape(src)[1] / groups, window.h.kernel, window.w.kernel}, {});
  const WeightId bias = graph.add_weight("bias", {channels}, {});
  return add_op(graph, {src},
                Conv{.window = window, .groups = groups, .weights = weights, .bias = bias, .post_ops = {}});
}

/// A 3x3 convolution that keeps the size of the map.
inline OpId add_conv3(Graph& graph, OpId src, Index channels) {
  return add_conv(graph, src, channels, square({.kernel = 3, .pad_begin = 1, .pad_end = 1}));
}

/// conv - conv (with the first as residual) - pool - global sum: every kind of edge that a plan must handle.
inline Graph residual_net(Index size = 8) {
  Graph graph;
  graph.name = "residual net";
  const OpId input = add_input(graph, {1, 3, size, size});
  const OpId first = add_conv3(graph, input, 4);
  const OpId second = add_conv3(graph, first, 4);
  as<Conv>(graph.op(second))->post_ops = {AddInput{}, Activation{}};
  graph.op(second).inputs.push_back(first);
  const OpId scale = add_constant(graph, {4, 1, 1});
  const OpId scaled = add_op(graph, {second, scale}, Binary{.kind = BinaryKind::mul, .post_ops = {}});
  const OpId pooled =
      add_op(graph, {scaled}, Pool{.kind = PoolKind::max, .window = square({.kernel = 2, .stride = 2})});
  const OpId rows = add_op(graph, {pooled}, ReduceRows{});
  const OpId sum = add_op(graph, {rows}, ReduceParts{});
  add_output(graph, add_conv(graph, sum, 10, {}));
  return graph;
}

}  // namespace strake::test

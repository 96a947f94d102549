// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Graphs with weights that have values, and the expectations that all tests of rewrites share.

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "core/naive_evaluator.hpp"
#include "core/rewrite/rewrite.hpp"
#include "core/shape_inference.hpp"

namespace strake::test {

using Rewrite = bool (*)(Graph&);

/// Builds a graph; all numbers follow from one fixed seed.
class Builder {
 public:
  Graph graph;

  OpId add(std::vector<OpId> inputs, Attributes attributes, Shape shape = {}) {
    return graph.add({.name = "op" + std::to_string(graph.size()),
                      .inputs = std::move(inputs),
                      .shape = std::move(shape),
                      .type = ElementType::f32,
                      .attributes = std::move(attributes)});
  }

  OpId input(Shape shape) {
    const OpId id = add({}, Input{}, std::move(shape));
    graph.inputs.push_back({.op = id, .name = "in" + std::to_string(id), .type = ElementType::f32});
    return id;
  }

  void output(OpId id) {
    const std::string name = "out" + std::to_string(graph.outputs.size());
    graph.outputs.push_back({.op = id, .name = name, .type = ElementType::f32});
  }

  WeightId weight(const Shape& shape) {
    std::vector<float> values;
    for (Index i = 0; i < volume(shape); ++i)
      values.push_back(std::uniform_real_distribution<float>(-1.0F, 1.0F)(random_));
    return weight(shape, values);
  }

  WeightId weight(const Shape& shape, const std::vector<float>& values) {
    return graph.add_weight("w" + std::to_string(graph.weights.size()), shape, Blob::copy_of(values));
  }

  OpId constant(const Shape& shape) { return add({}, Constant{weight(shape)}, shape); }
  OpId scalar(float value) { return add({}, Constant{weight({}, {value})}, {}); }

  /// With a bias; the kernel is square.
  OpId conv(OpId src, Index channels, WindowAxis axis = {}, Index groups = 1) {
    const WeightId weights = weight({channels, graph.shape(src)[1] / groups, axis.kernel, axis.kernel});
    const WeightId bias = weight({channels});
    return add({src}, Conv{.window = {axis, axis}, .groups = groups, .weights = weights, .bias = bias, .post_ops = {}});
  }

  /// 3x3, keeps the size of the map.
  OpId conv3(OpId src, Index channels) { return conv(src, channels, {.kernel = 3, .pad_begin = 1, .pad_end = 1}); }

  OpId scale_shift(OpId src) {
    const Index channels = graph.shape(src)[1];
    const WeightId scale = weight({channels});
    const WeightId shift = weight({channels});
    return add({src}, ScaleShift{.scale = scale, .shift = shift, .post_ops = {}});
  }

  OpId elementwise(OpId src, ActivationKind kind, float alpha = 0, float beta = 0) {
    return add({src}, Elementwise{.function = {kind, alpha, beta}});
  }

  OpId relu(OpId src) { return elementwise(src, ActivationKind::relu); }
  OpId binary(BinaryKind kind, OpId a, OpId b) { return add({a, b}, Binary{.kind = kind, .post_ops = {}}); }
  OpId sum(OpId a, OpId b) { return binary(BinaryKind::add, a, b); }
  OpId reshape(OpId src, Shape shape) { return add({src}, Reshape{}, std::move(shape)); }

 private:
  std::mt19937 random_{20261120};
};

inline std::vector<Tensor> evaluate(const Graph& graph) {
  std::mt19937 random(7);
  std::map<std::string, Tensor> inputs;
  for (const Port& port : graph.inputs) {
    inputs[port.name] = fill(graph.shape(port.op), [&](const std::vector<Index>&) {
      return std::uniform_real_distribution<double>(-4.0, 4.0)(random);
    });
  }
  return NaiveEvaluator(graph, inputs).run();
}

/// Numbers, shapes and names are what the rest of the library relies on.
inline void expect_well_formed(const Graph& graph) {
  std::set<std::string> names;
  for (OpId id = 0; id < graph.size(); ++id) {
    const Op& op = graph.op(id);
    EXPECT_TRUE(names.insert(op.name).second) << op.name;
    for (const OpId input : op.inputs) EXPECT_LT(input, id) << op.name;
    EXPECT_EQ(infer_shape(graph, op), op.shape) << op.name;
  }
  for (const Port& port : graph.inputs) EXPECT_NE(as<Input>(graph.op(port.op)), nullptr) << port.name;
}

/// Outputs agree up to the rounding of weights to float, relative to the largest value of each output.
inline void expect_same_values(const Graph& before, const Graph& after) {
  const std::vector<Tensor> expected = evaluate(before);
  const std::vector<Tensor> found = evaluate(after);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(after.outputs[i].name, before.outputs[i].name);
    ASSERT_EQ(found[i].shape, expected[i].shape);
    double largest = 0;
    for (const double cell : expected[i].cells) largest = std::max(largest, std::abs(cell));
    for (std::size_t cell = 0; cell < expected[i].cells.size(); ++cell)
      ASSERT_NEAR(found[i].cells[cell], expected[i].cells[cell], 1e-5 * largest + 1e-7)
          << "output " << i << " cell " << cell;
  }
}

/// The rewrite applies and keeps the values of all outputs.
/// @returns what it made, without what nobody reads
inline Graph expect_applies(Rewrite rewrite, const Graph& before) {
  Graph after = before;
  EXPECT_TRUE(rewrite(after));
  rewrite::drop_dead(after);
  expect_well_formed(after);
  expect_same_values(before, after);
  return after;
}

/// The rewrite finds nothing to do.
inline void expect_leaves(Rewrite rewrite, const Graph& before) {
  Graph after = before;
  EXPECT_FALSE(rewrite(after));
  EXPECT_EQ(fingerprint(after), fingerprint(before));
  expect_same_values(before, after);
}

inline std::vector<std::string> kinds(const Graph& graph) {
  std::vector<std::string> list;
  for (const Op& op : graph.ops) list.emplace_back(kind_name(op));
  return list;
}

using Kinds = std::vector<std::string>;

}  // namespace strake::test

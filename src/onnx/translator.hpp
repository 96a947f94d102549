// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a node's translation sees: its inputs as constants or operators, and the graph that it adds to.

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "core/graph.hpp"
#include "onnx/host_value.hpp"
#include "onnx/node.hpp"

namespace strake::onnx_import {

/// A named value of the model: known while importing, or computed by an operator.
using Value = std::variant<HostValue, OpId>;

class Translator {
 public:
  explicit Translator(Graph& graph) : graph_(graph) {}

  [[nodiscard]] Graph& graph() { return graph_; }
  void set(const std::string& name, Value value) { values_.insert_or_assign(name, std::move(value)); }
  [[nodiscard]] bool knows(const std::string& name) const { return values_.contains(name); }

  /// @throws InvalidInput if nothing makes the value
  [[nodiscard]] const Value& value(const Node& node, int input) const;
  /// The input as a constant, or null. @throws as `value`
  [[nodiscard]] const HostValue* constant(const Node& node, int input) const;
  /// The input as a constant. @throws InvalidInput if it is computed
  [[nodiscard]] const HostValue& known(const Node& node, int input) const;
  [[nodiscard]] std::vector<std::int64_t> known_integers(const Node& node, int input) const;
  /// The input as an operator; constants become Constant operators, once each.
  [[nodiscard]] OpId op(const Node& node, int input);
  [[nodiscard]] OpId op_of(const std::string& name);
  [[nodiscard]] const Shape& shape(const Node& node, int input) const;

  /// A weight with these values, once per named value.
  [[nodiscard]] WeightId weight(const Node& node, int input);
  [[nodiscard]] WeightId weight(const std::string& name, Shape shape, Blob values);

  /// Adds an operator for the node. @throws InvalidInput naming the node where shapes do not fit
  OpId add(const Node& node, std::vector<OpId> inputs, Attributes attributes, Shape shape = {});
  /// A Reshape, or `src` itself where the shape is its own.
  OpId reshape(const Node& node, OpId src, Shape shape);

  void output(const Node& node, Value value, int place = 0) { set(node.proto().output(place), std::move(value)); }

 private:
  [[nodiscard]] std::string fresh_name(const std::string& wanted);

  Graph& graph_;
  std::map<std::string, Value> values_;
  std::map<std::string, OpId> constants_;    // Constant operators by value name
  std::map<std::string, WeightId> weights_;  // by value name
  std::map<std::string, int> used_names_;
};

using Translation = void (*)(Translator&, const Node&);

/// Operator types by family; `translation_of` looks through all of them.
[[nodiscard]] const std::map<std::string, Translation>& spatial_translations();     // Conv, pools, LRN, ...
[[nodiscard]] const std::map<std::string, Translation>& arithmetic_translations();  // elementwise, Gemm, Softmax, ...
[[nodiscard]] const std::map<std::string, Translation>& structural_translations();  // Reshape, Concat, Slice, ...

/// Null for operators that are not supported.
[[nodiscard]] Translation translation_of(const std::string& type);

/// Evaluates a node whose inputs are all constants; false if it does not know the operator (which may still be
/// translated). @throws InvalidInput naming the node
bool fold(Translator& translator, const Node& node);
/// True for operator types that `fold` knows.
[[nodiscard]] bool can_fold(const std::string& type);

/// Sizes of a Reshape with 0 and -1 resolved. @throws InvalidInput naming the node
[[nodiscard]] Shape resolved_shape(const Node& node, const Shape& src, const std::vector<std::int64_t>& wanted);

/// What a Slice takes of each axis.
struct SliceRange {
  std::vector<Index> begin;
  std::vector<Index> step;
  Shape shape;
};
[[nodiscard]] SliceRange slice_range(const Translator& translator, const Node& node, const Shape& src);

/// Axes of Squeeze, Unsqueeze and reductions: an attribute before some opset, a constant input since.
[[nodiscard]] std::optional<std::vector<std::int64_t>> axes_of(const Translator& translator, const Node& node);

}  // namespace strake::onnx_import

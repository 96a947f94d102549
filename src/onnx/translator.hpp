// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a node's translation sees: its inputs as constants or operators, and the graph that it adds to.

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "core/graph.hpp"
#include "onnx/evaluate/evaluate.hpp"
#include "onnx/host_value.hpp"
#include "onnx/node.hpp"
#include "onnx/shape_rules.hpp"

namespace strake::onnx_import {

/// A value that is computed behind the graph. One of a node that nobody can compute is marked, so that only the first
/// such node of a chain is reported.
struct TailValue {
  bool lost = false;
};

/// A named value of the model: known while importing, computed by an operator, or behind the graph.
using Value = std::variant<HostValue, OpId, TailValue>;

/// The type of a value inside the graph: 16-bit floats are f32 there.
[[nodiscard]] constexpr ElementType graph_type(ElementType type) {
  return type == ElementType::f16 || type == ElementType::bf16 ? ElementType::f32 : type;
}

class Translator {
 public:
  explicit Translator(Graph& graph) : graph_(graph) {}

  [[nodiscard]] Graph& graph() { return graph_; }
  void set(const std::string& name, Value value) { values_.insert_or_assign(name, std::move(value)); }
  /// The value of this name, or null.
  [[nodiscard]] const Value* find(const std::string& name) const;

  /// Says that the Input operator `id` has this value in every frame; it becomes a constant if somebody has to know it.
  void offer(OpId id, HostTensor value) { offered_.emplace(id, std::move(value)); }
  /// Inputs that became constants.
  [[nodiscard]] const std::vector<std::string>& bound() const { return bound_; }

  /// @throws InvalidInput if nothing makes the value
  [[nodiscard]] const Value& value(const Node& node, int input) const;
  /// The input as a constant, or null. @throws as `value`
  [[nodiscard]] const HostValue* constant(const Node& node, int input) const;
  /// The input as a constant; an offered value becomes one. @throws NotInGraph if it is computed
  [[nodiscard]] const HostValue& known(const Node& node, int input) const;
  [[nodiscard]] std::vector<std::int64_t> known_integers(const Node& node, int input) const;
  /// The input as an operator. @throws NotInGraph if it is computed behind the graph
  /// Constants become Constant operators of their type, once each, 16-bit floats of f32.
  [[nodiscard]] OpId op(const Node& node, int input);
  [[nodiscard]] OpId op_of(const std::string& name);
  [[nodiscard]] const Shape& shape(const Node& node, int input) const;
  [[nodiscard]] ElementType type_of(OpId id) const { return graph_.op(id).type; }

  /// An f32 weight with these values, once per named value.
  [[nodiscard]] WeightId weight(const Node& node, int input);
  [[nodiscard]] WeightId weight(const std::string& name, Shape shape, Blob values, ElementType type = ElementType::f32);

  /// Adds an operator for the node. @throws InvalidInput naming the node where shapes do not fit, NotInGraph where the
  /// operator has no kernel for the types of its inputs
  OpId add(const Node& node, std::vector<OpId> inputs, Attributes attributes, Shape shape = {});
  /// A Reshape, or `src` itself where the shape is its own.
  OpId reshape(const Node& node, OpId src, Shape shape);

  /// @throws InvalidInput if the node does not name it
  void output(const Node& node, Value value, int place = 0) {
    if (place >= node.proto().output_size()) throw node.error("output " + std::to_string(place) + " has no name");
    set(node.proto().output(place), std::move(value));
  }

 private:
  [[nodiscard]] std::string fresh_name(const std::string& wanted);

  void bind(OpId id) const;

  Graph& graph_;
  // Asking for the value of an input that was offered turns it into a constant: the same value, better known.
  mutable std::map<std::string, Value> values_;
  mutable std::map<OpId, HostTensor> offered_;  // Input operators
  mutable std::vector<std::string> bound_;
  std::map<std::string, OpId> constants_;    // Constant operators by value name
  std::map<std::string, WeightId> weights_;  // by value name
  std::map<std::string, int> used_names_;
};

using Translation = void (*)(Translator&, const Node&);

/// Operator types by family; `translation_of` looks through all of them.
[[nodiscard]] const std::map<std::string, Translation>& spatial_translations();     // Conv, LRN
[[nodiscard]] const std::map<std::string, Translation>& window_translations();      // pools, ConvTranspose, ...
[[nodiscard]] const std::map<std::string, Translation>& resize_translations();      // Resize, Pad, GridSample, ...
[[nodiscard]] const std::map<std::string, Translation>& pointwise_translations();   // Add, Relu, Where, Cast, ...
[[nodiscard]] const std::map<std::string, Translation>& repeat_translations();      // Expand, Tile, Trilu, ...
[[nodiscard]] const std::map<std::string, Translation>& norm_translations();        // BatchNormalization, ...
[[nodiscard]] const std::map<std::string, Translation>& product_translations();     // Einsum, Gemm, MatMul
[[nodiscard]] const std::map<std::string, Translation>& quantized_translations();   // QLinearConv, QuantizeLinear, ...
[[nodiscard]] const std::map<std::string, Translation>& reduce_translations();      // Reduce..., Softmax, global pools
[[nodiscard]] const std::map<std::string, Translation>& structural_translations();  // Reshape, Concat, Slice, ...

/// Of `product_translations`, in a file of its own.
void einsum(Translator& translator, const Node& node);

/// Null for operators that are not supported.
[[nodiscard]] Translation translation_of(const std::string& type);

/// Evaluates a node whose inputs are all constants; false where the evaluator does not know it, or knows it not in this
/// form (it may still be translated). @throws InvalidInput naming the node
bool fold(Translator& translator, const Node& node, Budget& budget);

/// What a Slice takes of each axis; its inputs have to be known.
[[nodiscard]] SliceRange slice_range(const Translator& translator, const Node& node, const Shape& src);

/// Axes of Squeeze, Unsqueeze and reductions: an attribute before some opset, a constant input since.
[[nodiscard]] std::optional<std::vector<std::int64_t>> axes_of(const Translator& translator, const Node& node);

}  // namespace strake::onnx_import

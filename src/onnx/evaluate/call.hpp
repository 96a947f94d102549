// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the evaluation of one operator sees, and the families of evaluations.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/host_tensor.hpp"
#include "onnx/evaluate/evaluate.hpp"
#include "onnx/host_value.hpp"

namespace strake::onnx_import {

using Tensors = std::vector<HostTensor>;

/// One node with the values of its inputs. Borrows everything.
class Call {
 public:
  Call(const Node& node, std::span<const HostTensor* const> inputs, Budget& budget)
      : node_(&node), inputs_(inputs), budget_(&budget) {}

  [[nodiscard]] const Node& node() const { return *node_; }
  [[nodiscard]] InvalidInput error(const std::string& what) const { return node_->error(what); }
  [[nodiscard]] NotInGraph wrong_type(int i) const;

  [[nodiscard]] int n_inputs() const { return static_cast<int>(inputs_.size()); }
  [[nodiscard]] bool has(int i) const { return i < n_inputs() && inputs_[static_cast<std::size_t>(i)] != nullptr; }
  /// @throws InvalidInput if it is left out
  [[nodiscard]] const HostTensor& input(int i) const;
  /// The input, which has to have one element.
  [[nodiscard]] const HostTensor& scalar(int i) const;
  /// The elements of an input that has to hold integers.
  [[nodiscard]] std::vector<std::int64_t> integers(int i) const;
  /// An attribute before some opset, an input since.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(const std::string& attribute, int i) const;

  void expect_type(int i, ElementType type) const;
  /// The attribute as an axis of `rank` axes.
  [[nodiscard]] std::size_t axis(std::int64_t otherwise, std::size_t rank) const;

  /// An uninitialised tensor. @throws InvalidInput for a size that is negative or beyond the budget
  [[nodiscard]] HostTensor make(ElementType type, const Shape& shape) const;
  /// Counts work beyond writing the outputs once.
  void work(double elements) const { budget_->take(*node_, elements); }

 private:
  const Node* node_;
  std::span<const HostTensor* const> inputs_;
  Budget* budget_;
};

using Evaluation = Tensors (*)(const Call&);
using Evaluations = std::map<std::string, Evaluation>;

[[nodiscard]] const Evaluations& unary_evaluations();      // Abs, Exp, Relu, ...
[[nodiscard]] const Evaluations& binary_evaluations();     // Add, Equal, Where, ...
[[nodiscard]] const Evaluations& cast_evaluations();       // Cast, QuantizeLinear, ...
[[nodiscard]] const Evaluations& structure_evaluations();  // Reshape, Concat, Slice, ...
[[nodiscard]] const Evaluations& create_evaluations();     // Constant, Range, Shape, ...
[[nodiscard]] const Evaluations& move_evaluations();       // Pad, Tile, DepthToSpace, ...
[[nodiscard]] const Evaluations& gather_evaluations();     // Gather, ScatterND, OneHot, ...
[[nodiscard]] const Evaluations& reduce_evaluations();     // ReduceSum, ArgMax, Softmax, ...
[[nodiscard]] const Evaluations& search_evaluations();     // TopK, NonZero, Unique, NonMaxSuppression
[[nodiscard]] const Evaluations& matrix_evaluations();     // MatMul, Gemm, Det, Einsum

}  // namespace strake::onnx_import

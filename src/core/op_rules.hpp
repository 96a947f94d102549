// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the rules of one operator see: how its shape and type follow from its inputs, and which boxes it reads.
///
/// A family of operators (`core/ops/*.hpp`) declares beside each struct `T` what differs from the defaults:
///
///     Shape shape_of(const OpRules&, const T&);                       // throws InvalidInput by `require`
///     std::vector<Box> reads(const OpRules&, const T&, const Box&);   // one per input, of a box that is not empty
///     ElementType type_of(const OpRules&, const T&);                  // default: that of the first input
///     bool cuts_along(const OpRules&, const T&, std::size_t axis);    // default: every axis
///     int strip_axis(const OpRules&, const T&, const std::vector<int>&);  // default: that of the first input with one
///
/// `strip_axis` is given for each input the axis along which it is cut, as an axis of the output where axes count from
/// the last, or -1; it gives the axis of the output along which the operator can be cut then, or -1.

#include <string>
#include <vector>

#include "core/graph.hpp"

namespace strake {

/// Far beyond any real model, and small enough that no product of two of them overflows an Index.
inline constexpr Index max_window = Index{1} << 24;

/// One operator in its graph. Borrows both.
class OpRules {
 public:
  OpRules(const Graph& graph, const Op& op) : graph_(&graph), op_(&op) {}

  [[nodiscard]] const Graph& graph() const { return *graph_; }
  [[nodiscard]] const Op& op() const { return *op_; }
  [[nodiscard]] std::size_t n_inputs() const { return op_->inputs.size(); }
  [[nodiscard]] const Shape& src(std::size_t i = 0) const { return graph_->shape(op_->inputs[i]); }
  [[nodiscard]] ElementType src_type(std::size_t i = 0) const { return graph_->op(op_->inputs[i]).type; }

  /// @throws InvalidInput unless there is such a weight
  [[nodiscard]] const Weight& weight(WeightId id) const;

  /// @throws InvalidInput "operator 'name' (Kind) expects <expected>, got <found>" unless `holds`
  void require(bool holds, const std::string& expected, const std::string& found) const;
  void expect_inputs(std::size_t least, std::size_t most) const;
  /// @throws UnsupportedType
  void expect_type(std::size_t input, ElementType type) const;
  void check_axis(int axis, const Shape& shape) const;
  /// Output cells of a window along an axis: rounded down, unless `wanted` is what rounding up gives. At least 1.
  [[nodiscard]] Index window_size(const WindowAxis& window, Index src_size, Index wanted = 0) const;

 private:
  const Graph* graph_;
  const Op* op_;
};

}  // namespace strake

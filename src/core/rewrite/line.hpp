// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Straight lines, however a graph writes them: for rewrites that look for functions that models spell out.

#include <optional>
#include <utility>

#include "core/graph.hpp"

namespace strake::rewrite {

/// scale * x + shift with the same numbers for all elements.
struct Line {
  OpId x = 0;
  float scale = 1;
  float shift = 0;
};

/// The operator as a straight line: arithmetic with one constant number, a linear Elementwise, a ScaleShift.
[[nodiscard]] std::optional<Line> line_of(const Graph& graph, OpId id);

/// The operands of a plain product of two equal shapes.
[[nodiscard]] std::optional<std::pair<OpId, OpId>> factors_of(const Graph& graph, OpId id);

/// Up to float rounding: a model that means 0.1667 gets it.
[[nodiscard]] bool close(float a, float b);

/// The function of an Elementwise of this kind, or null.
[[nodiscard]] const Activation* activation_of(const Graph& graph, OpId id, ActivationKind kind);

}  // namespace strake::rewrite

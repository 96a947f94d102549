// SPDX-License-Identifier: Apache-2.0
#include "core/rewrite/line.hpp"

#include <algorithm>
#include <cmath>

#include "core/rewrite/edit.hpp"

namespace strake::rewrite {

namespace {

// The one value that a weight repeats.
std::optional<float> only_value(const Graph& graph, WeightId id, float otherwise) {
  if (id == no_weight) return otherwise;
  const std::span<const float> values = values_of(graph, id);
  const float first = values.front();
  const bool same = std::all_of(values.begin(), values.end(), [first](float value) { return value == first; });
  return same ? std::optional(first) : std::nullopt;
}

std::optional<Line> line_of(const Graph& graph, const Op& op, const Binary& binary) {
  const auto is_constant = [&](std::size_t i) { return as<Constant>(graph.op(op.inputs[i])) != nullptr; };
  if (is_constant(0) == is_constant(1)) return std::nullopt;
  const std::size_t which = is_constant(0) ? 0 : 1;
  const OpId x = op.inputs[1 - which];
  if (graph.shape(x) != op.shape) return std::nullopt;
  const std::optional<float> value = only_value(graph, as<Constant>(graph.op(op.inputs[which]))->value, 0);
  if (!value) return std::nullopt;
  if (binary.kind == BinaryKind::add) return Line{.x = x, .scale = 1, .shift = *value};
  if (binary.kind == BinaryKind::mul) return Line{.x = x, .scale = *value, .shift = 0};
  if (binary.kind == BinaryKind::sub && which == 1) return Line{.x = x, .scale = 1, .shift = -*value};
  if (binary.kind == BinaryKind::div && which == 1) return Line{.x = x, .scale = 1 / *value, .shift = 0};
  return std::nullopt;
}

}  // namespace

std::optional<Line> line_of(const Graph& graph, OpId id) {
  const Op& op = graph.op(id);
  const std::vector<PostOp>* after = post_ops(op);
  if (after != nullptr && !after->empty()) return std::nullopt;
  if (const auto* binary = as<Binary>(op)) return line_of(graph, op, *binary);
  if (const auto* elementwise = as<Elementwise>(op)) {
    const Activation& function = elementwise->function;
    if (function.kind != ActivationKind::linear) return std::nullopt;
    return Line{.x = op.inputs.front(), .scale = function.alpha, .shift = function.beta};
  }
  const auto* scale_shift = as<ScaleShift>(op);
  if (scale_shift == nullptr) return std::nullopt;
  const std::optional<float> scale = only_value(graph, scale_shift->scale, 1);
  const std::optional<float> shift = only_value(graph, scale_shift->shift, 0);
  if (!scale || !shift) return std::nullopt;
  return Line{.x = op.inputs.front(), .scale = *scale, .shift = *shift};
}

bool close(float a, float b) { return std::abs(a - b) < 1e-6F; }

const Activation* activation_of(const Graph& graph, OpId id, ActivationKind kind) {
  const auto* elementwise = as<Elementwise>(graph.op(id));
  return elementwise != nullptr && elementwise->function.kind == kind ? &elementwise->function : nullptr;
}

std::optional<std::pair<OpId, OpId>> factors_of(const Graph& graph, OpId id) {
  const Op& op = graph.op(id);
  const auto* binary = as<Binary>(op);
  if (binary == nullptr || binary->kind != BinaryKind::mul || !binary->post_ops.empty()) return std::nullopt;
  if (graph.shape(op.inputs[0]) != graph.shape(op.inputs[1])) return std::nullopt;
  return std::pair(op.inputs[0], op.inputs[1]);
}

}  // namespace strake::rewrite

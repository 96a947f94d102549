// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What all rewrites need: who reads what, and edits that keep a graph in topological order.
///
/// Rewrites leave operators behind that nobody reads; `count_uses` does not see them and `drop_dead` removes them. An
/// operator that takes another one in does so in its own place, behind everything that either of them reads, so
/// nothing ever has to move.

#include <span>
#include <vector>

#include "core/graph.hpp"

namespace strake::rewrite {

/// How often each operator's value is read: each operand of an operator that itself is used counts, and each graph
/// output. 0 means dead.
[[nodiscard]] std::vector<int> count_uses(const Graph& graph);

/// Calls `step(id, uses)` for each operator that is used, in order; `step` edits the graph and says whether it did.
/// `uses` is up to date at each call. An operator that was inserted in front is stepped over.
/// @returns true when any step edited the graph
bool for_each_used(Graph& graph, auto&& step) {
  bool changed = false;
  std::vector<int> uses = count_uses(graph);
  for (OpId id = 0; id < graph.size(); ++id) {
    if (uses[static_cast<std::size_t>(id)] == 0 || !step(id, uses)) continue;
    changed = true;
    uses = count_uses(graph);
  }
  return changed;
}

/// True when one operand of one operator is all that reads `id`.
[[nodiscard]] inline bool read_once(const std::vector<int>& uses, OpId id) {
  return uses[static_cast<std::size_t>(id)] == 1;
}

/// Everyone who reads `from`, graph outputs included, reads `to` instead; `to` comes earlier than they do.
void replace_uses(Graph& graph, OpId from, OpId to);

/// Puts `op`, whose inputs come earlier than `before`, in front of operator `before` and renumbers what follows.
/// @returns its number, which is `before`; the operator that stood there has the next one
OpId insert(Graph& graph, OpId before, Op op);

/// Operator `into`, the only reader of `source`, becomes what `source` is, under its name and with its inputs; its own
/// shape stays. Nobody reads `source` any more.
void take_over(Graph& graph, OpId source, OpId into);

/// What two operators do, and their names, change places; inputs and shapes stay.
void trade_places(Op& a, Op& b);

/// `name`, with something behind it where an operator of the graph has that name already.
[[nodiscard]] std::string unique_name(const Graph& graph, std::string name);

/// Calls `visit` with a reference to each weight number that an operator names, `no_weight` included.
void for_each_weight(Op& op, auto&& visit) {
  if (auto* conv = as<Conv>(op)) {
    visit(conv->weights);
    visit(conv->bias);
  } else if (auto* scale_shift = as<ScaleShift>(op)) {
    visit(scale_shift->scale);
    visit(scale_shift->shift);
  } else if (auto* constant = as<Constant>(op)) {
    visit(constant->value);
  } else if (auto* conv_nd = as<ConvNd>(op)) {
    visit(conv_nd->weights);
    visit(conv_nd->bias);
  } else if (auto* integer_conv = as<IntegerConv>(op)) {
    strake::for_each_weight(*integer_conv, visit);
  }
}

/// The elements of a weight.
/// @throws Bug if its values are not there
[[nodiscard]] std::span<const float> values_of(const Graph& graph, WeightId id);

/// True when more than one operator that is used names the weight.
[[nodiscard]] bool is_shared(const Graph& graph, WeightId id);

/// The elements of a weight for change. `id` stands in an operator that is used; it becomes the number of a copy where
/// another operator names the same weight. Memory is copied only where someone else holds it.
[[nodiscard]] std::span<float> values_to_change(Graph& graph, WeightId& id);

}  // namespace strake::rewrite

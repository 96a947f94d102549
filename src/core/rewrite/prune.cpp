// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/rewrite/edit.hpp"
#include "core/rewrite/rewrite.hpp"

namespace strake::rewrite {

namespace {

// Axes of size 1 may go anywhere without moving an element.
bool keeps_order(const Transpose& transpose, const Shape& src) {
  int last = -1;
  for (const int axis : transpose.axes) {
    if (src[static_cast<std::size_t>(axis)] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

bool takes_everything(const Slice& slice) {
  // The shapes are equal, so an axis is either whole or reversed, and a reversed one begins at its end.
  return std::all_of(slice.begin.begin(), slice.begin.end(), [](Index begin) { return begin == 0; });
}

bool takes_everything(const Gather& gather) {
  for (std::size_t i = 0; i < gather.indices.size(); ++i)
    if (gather.indices[i] != static_cast<Index>(i)) return false;
  return true;
}

// True when the operator's value is that of its first input. Transposes that move nothing are Reshapes by now.
bool is_identity(const Graph& graph, const Op& op) {
  if (op.inputs.empty() || op.shape != graph.shape(op.inputs.front())) return false;
  if (as<Reshape>(op) != nullptr || as<Pad>(op) != nullptr) return true;
  if (const auto* slice = as<Slice>(op)) return takes_everything(*slice);
  if (const auto* gather = as<Gather>(op)) return takes_everything(*gather);
  return as<Concat>(op) != nullptr && op.inputs.size() == 1;
}

// A Transpose of a Transpose, and a Reshape of a Reshape, become one.
bool merge_with_source(Graph& graph, Op& op) {
  if (op.inputs.size() != 1) return false;
  const Op& source = graph.op(op.inputs.front());
  if (as<Reshape>(op) != nullptr && as<Reshape>(source) != nullptr) {
    op.inputs = source.inputs;
    return true;
  }
  auto* second = as<Transpose>(op);
  const auto* first = as<Transpose>(source);
  if (first == nullptr || second == nullptr) return false;
  for (int& axis : second->axes) axis = first->axes[static_cast<std::size_t>(axis)];
  op.inputs = source.inputs;
  return true;
}

}  // namespace

bool drop_identities(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>&) {
    Op& op = graph.op(id);
    bool changed = merge_with_source(graph, op);
    const auto* transpose = as<Transpose>(op);
    if (transpose != nullptr && keeps_order(*transpose, graph.shape(op.inputs.front()))) {
      op.attributes = Reshape{};
      merge_with_source(graph, op);
      changed = true;
    }
    if (!is_identity(graph, op)) return changed;
    replace_uses(graph, id, op.inputs.front());
    return true;
  });
}

namespace {

// New numbers for what stays, counted in order; -1 for the rest.
std::vector<int> renumber(const std::vector<bool>& stays) {
  std::vector<int> numbers;
  int next = 0;
  for (const bool one : stays) numbers.push_back(one ? next++ : -1);
  return numbers;
}

template <class T>
void keep(std::vector<T>& list, const std::vector<bool>& stays) {
  std::vector<T> kept;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (stays[i]) kept.push_back(std::move(list[i]));
  list = std::move(kept);
}

bool all_of(const std::vector<bool>& stays) {
  return std::all_of(stays.begin(), stays.end(), [](bool one) { return one; });
}

bool drop_dead_operators(Graph& graph) {
  const std::vector<int> uses = count_uses(graph);
  std::vector<bool> stays;
  for (std::size_t i = 0; i < uses.size(); ++i) stays.push_back(uses[i] > 0 || as<Input>(graph.ops[i]) != nullptr);
  if (all_of(stays)) return false;
  const std::vector<OpId> numbers = renumber(stays);
  const auto move = [&numbers](OpId& id) { id = numbers[static_cast<std::size_t>(id)]; };
  keep(graph.ops, stays);
  for (Op& op : graph.ops) std::for_each(op.inputs.begin(), op.inputs.end(), move);
  for (Port& port : graph.inputs) move(port.op);
  for (Port& port : graph.outputs) move(port.op);
  return true;
}

bool drop_dead_weights(Graph& graph) {
  std::vector<bool> stays(graph.weights.size());
  for (const Op& op : graph.ops)
    for (const WeightId id : weights_of(op)) stays[static_cast<std::size_t>(id)] = true;
  if (all_of(stays)) return false;
  const std::vector<WeightId> numbers = renumber(stays);
  keep(graph.weights, stays);
  for (Op& op : graph.ops) {
    for_each_weight(op, [&numbers](WeightId& id) {
      if (id != no_weight) id = numbers[static_cast<std::size_t>(id)];
    });
  }
  return true;
}

}  // namespace

bool drop_dead(Graph& graph) {
  const bool operators = drop_dead_operators(graph);
  const bool weights = drop_dead_weights(graph);
  return operators || weights;
}

}  // namespace strake::rewrite

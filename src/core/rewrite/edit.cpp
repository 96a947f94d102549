// SPDX-License-Identifier: Apache-2.0
#include "core/rewrite/edit.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace strake::rewrite {

std::vector<int> count_uses(const Graph& graph) {
  std::vector<int> uses(graph.ops.size());
  for (const Port& port : graph.outputs) ++uses[static_cast<std::size_t>(port.op)];
  // Readers come later: by the time that an operator is met, all that read it have been.
  for (OpId id = graph.size() - 1; id >= 0; --id) {
    if (uses[static_cast<std::size_t>(id)] == 0) continue;
    for (const OpId input : graph.op(id).inputs) ++uses[static_cast<std::size_t>(input)];
  }
  return uses;
}

void replace_uses(Graph& graph, OpId from, OpId to) {
  for (Op& op : graph.ops) std::replace(op.inputs.begin(), op.inputs.end(), from, to);
  for (Port& port : graph.outputs)
    if (port.op == from) port.op = to;
}

OpId insert(Graph& graph, OpId before, Op op) {
  const auto renumber = [before](OpId& id) {
    if (id >= before) ++id;
  };
  for (Op& other : graph.ops) std::for_each(other.inputs.begin(), other.inputs.end(), renumber);
  for (Port& port : graph.inputs) renumber(port.op);
  for (Port& port : graph.outputs) renumber(port.op);
  graph.ops.insert(graph.ops.begin() + before, std::move(op));
  return before;
}

void take_over(Graph& graph, OpId source, OpId into) {
  Op& from = graph.op(source);
  Op& op = graph.op(into);
  std::swap(op.name, from.name);
  op.inputs = from.inputs;
  op.attributes = from.attributes;
}

void trade_places(Op& a, Op& b) {
  std::swap(a.name, b.name);
  // std::swap of two variants is compiled for every pair of kinds.
  b.attributes = std::exchange(a.attributes, std::move(b.attributes));
}

std::string unique_name(const Graph& graph, std::string name) {
  const auto taken = [&](const Op& op) { return op.name == name; };
  while (std::any_of(graph.ops.begin(), graph.ops.end(), taken)) name += "'";
  return name;
}

std::span<const float> values_of(const Graph& graph, WeightId id) {
  const Weight& weight = graph.weight(id);
  ensure(static_cast<Index>(weight.values.floats().size()) == volume(weight.shape),
         "a rewrite needs a weight's values");
  return weight.values.floats();
}

bool is_shared(const Graph& graph, WeightId id) {
  const std::vector<int> uses = count_uses(graph);
  std::ptrdiff_t times = 0;
  for (std::size_t i = 0; i < graph.ops.size(); ++i) {
    if (uses[i] == 0) continue;
    const std::vector<WeightId> named = weights_of(graph.ops[i]);
    times += std::count(named.begin(), named.end(), id);
  }
  return times > 1;
}

std::span<float> values_to_change(Graph& graph, WeightId& id) {
  const std::span<const float> values = values_of(graph, id);
  if (is_shared(graph, id)) {
    const Weight& weight = graph.weight(id);
    id = graph.add_weight(weight.name, weight.shape, Blob::copy_of(values));
  } else if (!graph.weight(id).values.unique()) {
    graph.weight(id).values = Blob::copy_of(values);
  }
  return graph.weight(id).values.floats();
}

}  // namespace strake::rewrite

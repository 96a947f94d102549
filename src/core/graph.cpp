// SPDX-License-Identifier: Apache-2.0
#include "core/graph.hpp"

#include <set>

#include "core/serialize.hpp"
#include "core/shape_inference.hpp"

namespace strake {

OpId Graph::add(Op new_op) {
  new_op.shape = infer_shape(*this, new_op);
  new_op.type = infer_type(*this, new_op);
  ops.push_back(std::move(new_op));
  return size() - 1;
}

WeightId Graph::add_weight(std::string weight_name, Shape shape, Blob values, ElementType type) {
  weights.push_back(
      {.name = std::move(weight_name), .shape = std::move(shape), .values = std::move(values), .type = type});
  return static_cast<WeightId>(weights.size()) - 1;
}

std::vector<std::vector<OpId>> consumers(const Graph& graph) {
  std::vector<std::vector<OpId>> readers(graph.ops.size());
  for (OpId id = 0; id < graph.size(); ++id) {
    for (const OpId input : graph.op(id).inputs) {
      std::vector<OpId>& list = readers[static_cast<std::size_t>(input)];
      if (list.empty() || list.back() != id) list.push_back(id);
    }
  }
  return readers;
}

double multiply_adds(const Graph& graph, OpId id) { return multiply_adds(graph, id, whole(graph.shape(id))); }

double multiply_adds(const Graph& graph, OpId id, const Box& dst) {
  if (dst.empty()) return 0;
  const Op& op = graph.op(id);
  const auto cells = static_cast<double>(dst.volume());
  if (const auto* conv = as<Conv>(op)) {
    const Shape& src = graph.shape(op.inputs.front());
    const Index taps = src[1] / conv->groups * conv->window.h.kernel * conv->window.w.kernel;
    return cells * static_cast<double>(taps);
  }
  if (const auto* conv = as<IntegerConv>(op)) {
    const Shape& weights = graph.weight(conv->weights).shape;
    const Index taps = volume(weights) / weights[0];
    return cells * static_cast<double>(taps);
  }
  if (const auto* conv = as<ConvNd>(op)) {
    const Shape& weights = graph.weight(conv->weights).shape;
    const Index taps = volume(weights) / weights[0];
    return cells * static_cast<double>(taps);
  }
  if (as<MatMul>(op) != nullptr) return cells * static_cast<double>(graph.shape(op.inputs.front()).back());
  return 0;
}

Index parameters(const Graph& graph) {
  std::set<WeightId> used;
  for (const Op& op : graph.ops)
    for (const WeightId id : weights_of(op)) used.insert(id);
  Index elements = 0;
  for (const WeightId id : used) elements += volume(graph.weight(id).shape);
  return elements;
}

std::string fingerprint(const Graph& graph) {
  // FNV-1a: not a defence against forgers, only a way to notice another model.
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const std::byte byte : to_bytes(graph)) hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001B3U;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += digits[(hash >> shift) & 0xFU];
  return text;
}

}  // namespace strake

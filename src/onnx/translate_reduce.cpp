// SPDX-License-Identifier: Apache-2.0
// Operators that go along axes: reductions, ArgMax, softmax, running sums.

#include <algorithm>

#include "onnx/translator.hpp"

namespace strake::onnx_import {

namespace {

// The same elements without the axes `gone`, each of size 1.
OpId without_axes(Translator& t, const Node& node, OpId op, const std::vector<int>& gone) {
  const Shape shape = t.graph().shape(op);
  Shape kept;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (std::find(gone.begin(), gone.end(), static_cast<int>(axis)) == gone.end()) kept.push_back(shape[axis]);
  return t.reshape(node, op, kept);
}

// A scalar as a vector of one, since there is no axis to go along.
OpId with_an_axis(Translator& t, const Node& node, int input) {
  const OpId src = t.op(node, input);
  return t.graph().shape(src).empty() ? t.reshape(node, src, {1}) : src;
}

std::vector<int> reduced_axes(Translator& t, const Node& node, std::size_t rank) {
  const std::vector<std::int64_t> given = axes_of(t, node).value_or(std::vector<std::int64_t>{});
  if (given.size() > rank)
    throw node.error("gives " + std::to_string(given.size()) + " axes of a tensor that has " + std::to_string(rank));
  std::vector<int> axes;
  for (const std::int64_t axis : given) axes.push_back(axis_of(node, axis, rank));
  if (axes.empty() && node.integer("noop_with_empty_axes", 0) == 0)
    for (std::size_t axis = 0; axis < rank; ++axis) axes.push_back(static_cast<int>(axis));
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  return axes;
}

template <GenericReduceKind kind>
void reduce(Translator& t, const Node& node) {
  const bool scalar = t.shape(node, 0).empty();
  const OpId src = with_an_axis(t, node, 0);
  const std::vector<int> axes = reduced_axes(t, node, t.graph().shape(src).size());
  if (axes.empty()) return t.output(node, t.op(node, 0));
  const OpId result = t.add(node, {src}, Reduce{kind, axes});
  const bool keeps = node.integer("keepdims", 1) != 0 && !scalar;
  t.output(node, keeps ? result : without_axes(t, node, result, axes));
}

template <ArgKind kind>
void arg_reduce(Translator& t, const Node& node) {
  const bool scalar = t.shape(node, 0).empty();
  const OpId src = with_an_axis(t, node, 0);
  const int axis = axis_of(node, node.integer("axis", 0), t.graph().shape(src).size());
  const ArgTie tie = node.integer("select_last_index", 0) != 0 ? ArgTie::last : ArgTie::first;
  const OpId result = t.add(node, {src}, ArgReduce{kind, axis, tie});
  const bool keeps = node.integer("keepdims", 1) != 0 && !scalar;
  t.output(node, keeps ? result : without_axes(t, node, result, {axis}));
}

template <SoftmaxKind kind>
void softmax(Translator& t, const Node& node) {
  const OpId src = with_an_axis(t, node, 0);
  const Shape shape = t.graph().shape(src);
  const int axis = axis_of(node, node.integer("axis", node.opset() < 13 ? 1 : -1), shape.size());
  const auto give_back = [&](OpId result) { t.output(node, t.reshape(node, result, t.shape(node, 0))); };
  // Before opset 13 everything from the axis on counts as one.
  Shape flat{1, 1};
  bool ones_behind = true;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    flat[static_cast<int>(i) < axis ? 0 : 1] *= shape[i];
    if (static_cast<int>(i) > axis) ones_behind = ones_behind && shape[i] == 1;
  }
  if (node.opset() >= 13 || ones_behind) return give_back(t.add(node, {src}, Softmax{axis, kind}));
  give_back(t.add(node, {t.reshape(node, src, flat)}, Softmax{1, kind}));
}

void cum_sum(Translator& t, const Node& node) {
  const std::vector<std::int64_t> axis = t.known_integers(node, 1);
  if (axis.size() != 1) throw node.error("axis has " + std::to_string(axis.size()) + " numbers, expected 1");
  const OpId src = t.op(node, 0);
  const SumPlace place = node.integer("exclusive", 0) != 0 ? SumPlace::exclusive : SumPlace::inclusive;
  const SumDirection direction = node.integer("reverse", 0) != 0 ? SumDirection::backward : SumDirection::forward;
  t.output(node,
           t.add(node, {src}, CumSum{axis_of(node, axis.front(), t.graph().shape(src).size()), place, direction}));
}

template <GenericReduceKind kind>
void global_pool(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const std::size_t rank = t.graph().shape(src).size();
  if (rank < 3) throw node.error("input has shape " + to_string(t.graph().shape(src)) + ", expected (n, c, ...)");
  std::vector<int> axes;
  for (std::size_t axis = 2; axis < rank; ++axis) axes.push_back(static_cast<int>(axis));
  t.output(node, t.add(node, {src}, Reduce{kind, axes}));
}

}  // namespace

const std::map<std::string, Translation>& reduce_translations() {
  static const std::map<std::string, Translation> table = {{"ArgMax", arg_reduce<ArgKind::max>},
                                                           {"ArgMin", arg_reduce<ArgKind::min>},
                                                           {"CumSum", cum_sum},
                                                           {"GlobalAveragePool", global_pool<GenericReduceKind::mean>},
                                                           {"GlobalMaxPool", global_pool<GenericReduceKind::max>},
                                                           {"Hardmax", softmax<SoftmaxKind::hardmax>},
                                                           {"LogSoftmax", softmax<SoftmaxKind::log_softmax>},
                                                           {"ReduceL1", reduce<GenericReduceKind::l1>},
                                                           {"ReduceL2", reduce<GenericReduceKind::l2>},
                                                           {"ReduceLogSum", reduce<GenericReduceKind::log_sum>},
                                                           {"ReduceLogSumExp", reduce<GenericReduceKind::log_sum_exp>},
                                                           {"ReduceMax", reduce<GenericReduceKind::max>},
                                                           {"ReduceMean", reduce<GenericReduceKind::mean>},
                                                           {"ReduceMin", reduce<GenericReduceKind::min>},
                                                           {"ReduceProd", reduce<GenericReduceKind::prod>},
                                                           {"ReduceSum", reduce<GenericReduceKind::sum>},
                                                           {"ReduceSumSquare", reduce<GenericReduceKind::sum_square>},
                                                           {"Softmax", softmax<SoftmaxKind::softmax>}};
  return table;
}

}  // namespace strake::onnx_import

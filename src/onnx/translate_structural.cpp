// SPDX-License-Identifier: Apache-2.0
// Operators that move or rename values, and those that ask for shapes.

#include <algorithm>
#include <numeric>

#include "onnx/translator.hpp"

namespace strake::onnx_import {

namespace {

void reshape(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  std::vector<std::int64_t> wanted;
  if (node.n_inputs() > 1)
    wanted = t.known_integers(node, 1);
  else
    wanted = node.integers("shape").value_or(std::vector<std::int64_t>{});
  t.output(node, t.reshape(node, src, resolved_shape(node, t.graph().shape(src), wanted)));
}

void flatten(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  t.output(node, t.reshape(node, src, flattened_shape(node, t.graph().shape(src))));
}

void squeeze(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  t.output(node, t.reshape(node, src, squeezed_shape(node, t.graph().shape(src), axes_of(t, node))));
}

void unsqueeze(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const auto axes = axes_of(t, node).value_or(std::vector<std::int64_t>{});
  t.output(node, t.reshape(node, src, unsqueezed_shape(node, t.graph().shape(src), axes)));
}

void transpose(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const std::vector<std::size_t> axes = permutation(node, t.graph().shape(src).size());
  t.output(node, t.add(node, {src}, Transpose{{axes.begin(), axes.end()}}));
}

void concat(Translator& t, const Node& node) {
  std::vector<OpId> inputs;
  for (int i = 0; i < node.n_inputs(); ++i) inputs.push_back(t.op(node, i));
  if (inputs.empty()) throw node.error("has no inputs");
  const std::size_t n = t.graph().shape(inputs.front()).size();
  const int axis = axis_of(node, node.integer("axis", 1), n);
  if (inputs.size() == 1) return t.output(node, inputs.front());
  t.output(node, t.add(node, inputs, Concat{axis}));
}

void slice(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const SliceRange range = slice_range(t, node, t.graph().shape(src));
  if (volume(range.shape) == 0) throw node.not_in_graph("takes nothing of its input");
  t.output(node, t.add(node, {src}, Slice{range.begin, range.step}, range.shape));
}

void split(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  const auto axis = static_cast<std::size_t>(axis_of(node, node.integer("axis", 0), shape.size()));
  std::optional<std::vector<std::int64_t>> given = node.integers("split");
  if (node.has_input(1)) given = t.known_integers(node, 1);
  const std::vector<std::int64_t> sizes = split_sizes(node, shape[axis], given);
  Slice part{std::vector<Index>(shape.size(), 0), std::vector<Index>(shape.size(), 1)};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < 1) throw node.not_in_graph("a part has size 0");
    Shape part_shape = shape;
    part_shape[axis] = sizes[i];
    t.output(node, t.add(node, {src}, part, part_shape), static_cast<int>(i));
    part.begin[axis] += sizes[i];
  }
}

void gather(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  const int axis = axis_of(node, node.integer("axis", 0), shape.size());
  const Index size = shape[static_cast<std::size_t>(axis)];
  Gather attributes{axis, {}};
  for (const std::int64_t index : t.known_integers(node, 1)) {
    if (index < -size || index >= size)
      throw node.error("index " + std::to_string(index) + " of an axis of " + std::to_string(size));
    attributes.indices.push_back(index < 0 ? index + size : index);
  }
  if (attributes.indices.empty()) throw node.not_in_graph("gathers nothing");
  const Shape index_shape = t.known(node, 1).shape;
  OpId result = t.add(node, {src}, attributes);
  Shape result_shape(shape.begin(), shape.begin() + axis);
  result_shape.insert(result_shape.end(), index_shape.begin(), index_shape.end());
  result_shape.insert(result_shape.end(), shape.begin() + axis + 1, shape.end());
  t.output(node, t.reshape(node, result, result_shape));
}

void pass_on(Translator& t, const Node& node) { t.output(node, t.value(node, 0)); }

void shape_of(Translator& t, const Node& node) {
  const Shape& shape = t.shape(node, 0);
  const auto n = static_cast<std::int64_t>(shape.size());
  const auto place = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + n : at, 0, n); };
  const std::int64_t begin = place(node.integer("start", 0));
  const std::int64_t end = std::max(place(node.integer("end", n)), begin);
  const std::vector<std::int64_t> sizes(shape.begin() + begin, shape.begin() + end);
  t.output(node, HostValue::of_integers({end - begin}, sizes));
}

void size_of_value(Translator& t, const Node& node) {
  t.output(node, HostValue::of_integers({}, {volume(t.shape(node, 0))}));
}

}  // namespace

const std::map<std::string, Translation>& structural_translations() {
  static const std::map<std::string, Translation> table = {
      {"Concat", concat},   {"Flatten", flatten}, {"Gather", gather},       {"Identity", pass_on},
      {"Reshape", reshape}, {"Shape", shape_of},  {"Size", size_of_value},  {"Slice", slice},
      {"Split", split},     {"Squeeze", squeeze}, {"Transpose", transpose}, {"Unsqueeze", unsqueeze}};
  return table;
}

}  // namespace strake::onnx_import

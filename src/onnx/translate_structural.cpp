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
  const Shape& shape = t.graph().shape(src);
  const std::int64_t given = node.integer("axis", 1);
  const auto n = static_cast<std::int64_t>(shape.size());
  if (given < -n || given > n) throw node.error("axis " + std::to_string(given) + " of " + to_string(shape));
  const std::int64_t axis = given < 0 ? given + n : given;
  Shape flat{1, 1};
  for (std::int64_t i = 0; i < n; ++i) flat[i < axis ? 0 : 1] *= shape[static_cast<std::size_t>(i)];
  t.output(node, t.reshape(node, src, flat));
}

void squeeze(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const Shape& shape = t.graph().shape(src);
  std::vector<bool> dropped(shape.size(), false);
  if (const auto axes = axes_of(t, node)) {
    for (const std::int64_t axis : *axes) dropped[static_cast<std::size_t>(axis_of(node, axis, shape.size()))] = true;
  } else {
    for (std::size_t axis = 0; axis < shape.size(); ++axis) dropped[axis] = shape[axis] == 1;
  }
  Shape kept;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (!dropped[axis]) kept.push_back(shape[axis]);
  t.output(node, t.reshape(node, src, kept));
}

void unsqueeze(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  const std::vector<std::int64_t> axes = axes_of(t, node).value_or(std::vector<std::int64_t>{});
  std::vector<bool> added(shape.size() + axes.size(), false);
  for (const std::int64_t axis : axes) added[static_cast<std::size_t>(axis_of(node, axis, added.size()))] = true;
  if (static_cast<std::size_t>(std::count(added.begin(), added.end(), true)) != axes.size())
    throw node.error("an axis stands twice");
  Shape result;
  auto next = shape.begin();
  for (const bool fresh : added) result.push_back(fresh ? 1 : *next++);
  t.output(node, t.reshape(node, src, result));
}

void transpose(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const std::size_t n = t.graph().shape(src).size();
  Transpose attributes;
  if (const auto perm = node.integers("perm")) {
    for (const std::int64_t axis : *perm) attributes.axes.push_back(axis_of(node, axis, n));
  } else {
    for (std::size_t axis = n; axis-- > 0;) attributes.axes.push_back(static_cast<int>(axis));
  }
  t.output(node, t.add(node, {src}, attributes));
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
  t.output(node, t.add(node, {src}, Slice{range.begin, range.step}, range.shape));
}

std::vector<std::int64_t> split_sizes(Translator& t, const Node& node, Index size, int n_outputs) {
  if (const auto given = node.integers("split")) return *given;
  if (node.has_input(1)) return t.known_integers(node, 1);
  const Index n = node.integer("num_outputs", n_outputs);
  if (n < 1 || n > size) throw node.error("cannot split " + std::to_string(size) + " into " + std::to_string(n));
  const Index each = (size + n - 1) / n;
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(n), each);
  sizes.back() = size - each * (n - 1);
  return sizes;
}

void split(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  const auto axis = static_cast<std::size_t>(axis_of(node, node.integer("axis", 0), shape.size()));
  const std::vector<std::int64_t> sizes = split_sizes(t, node, shape[axis], node.proto().output_size());
  if (sizes.size() != static_cast<std::size_t>(node.proto().output_size()) ||
      std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) != shape[axis])
    throw node.error("the sizes of its parts do not add up to " + std::to_string(shape[axis]));
  Slice part{std::vector<Index>(shape.size(), 0), std::vector<Index>(shape.size(), 1)};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < 1) throw node.error("a part has size " + std::to_string(sizes[i]));
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
  if (attributes.indices.empty()) throw node.error("gathers nothing");
  const Shape index_shape = t.known(node, 1).shape;
  OpId result = t.add(node, {src}, attributes);
  Shape result_shape(shape.begin(), shape.begin() + axis);
  result_shape.insert(result_shape.end(), index_shape.begin(), index_shape.end());
  result_shape.insert(result_shape.end(), shape.begin() + axis + 1, shape.end());
  t.output(node, t.reshape(node, result, result_shape));
}

void pass_on(Translator& t, const Node& node) { t.output(node, t.value(node, 0)); }

void cast(Translator& t, const Node& node) {
  const std::int64_t to = node.integer("to", 0);
  const bool is_float =
      to == onnx::TensorProto::FLOAT || to == onnx::TensorProto::FLOAT16 || to == onnx::TensorProto::DOUBLE;
  if (!is_float) throw node.error("a computed value can only be cast to a float type");
  const OpId src = t.op(node, 0);
  if (t.graph().op(src).type == ElementType::f32) return t.output(node, src);
  const Shape& shape = t.graph().shape(src);
  if (shape.size() != 4)
    throw node.error("8-bit values of shape " + to_string(shape) + " are not supported, expected (n, c, h, w)");
  const auto c = static_cast<std::size_t>(shape[1]);
  t.output(node, t.add(node, {src}, NormalizePicture{std::vector<float>(c, 1.0F), std::vector<float>(c, 0.0F)}));
}

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
      {"Cast", cast},           {"Concat", concat},      {"Dropout", pass_on}, {"Flatten", flatten},
      {"Gather", gather},       {"Identity", pass_on},   {"Reshape", reshape}, {"Shape", shape_of},
      {"Size", size_of_value},  {"Slice", slice},        {"Split", split},     {"Squeeze", squeeze},
      {"Transpose", transpose}, {"Unsqueeze", unsqueeze}};
  return table;
}

}  // namespace strake::onnx_import

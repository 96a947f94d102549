// SPDX-License-Identifier: Apache-2.0
// Operators that repeat or blank cells, or make some from a shape alone.

#include <algorithm>

#include "core/shape_inference.hpp"
#include "onnx/model_file.hpp"
#include "onnx/translator.hpp"

namespace strake::onnx_import {

namespace {

void expand(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  const std::vector<std::int64_t> wanted = t.known_integers(node, 1);
  if (std::find(wanted.begin(), wanted.end(), 0) != wanted.end()) throw node.not_in_graph("expands to nothing");
  const std::optional<Shape> result = broadcast(shape, Shape(wanted.begin(), wanted.end()));
  if (!result) throw node.error("cannot expand " + to_string(shape) + " to " + to_string(wanted));
  t.output(node, *result == shape ? src : t.add(node, {src}, Expand{}, *result));
}

void tile(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const std::vector<std::int64_t> repeats = t.known_integers(node, 1);
  if (std::find(repeats.begin(), repeats.end(), 0) != repeats.end()) throw node.not_in_graph("repeats nothing");
  t.output(node, t.add(node, {src}, Tile{{repeats.begin(), repeats.end()}}));
}

void trilu(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  Trilu attributes{.part = node.integer("upper", 1) != 0 ? Triangle::upper : Triangle::lower, .diagonal = 0};
  if (node.has_input(1)) {
    const std::vector<std::int64_t> diagonal = t.known_integers(node, 1);
    if (diagonal.size() != 1) throw node.error("k has " + std::to_string(diagonal.size()) + " elements, expected 1");
    attributes.diagonal = diagonal.front();
  }
  t.output(node, t.add(node, {src}, attributes));
}

// The output depends on the input's shape and type only.
void eye_like(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  if (shape.size() != 2) throw node.error("its input has shape " + to_string(shape) + ", expected a matrix");
  constexpr Index most_cells = most_folded_elements / 8;  // each such node makes a matrix of its own
  if (volume(shape) > most_cells)
    throw node.error("makes a matrix of shape " + to_string(shape) + ", more than 2^25 elements");
  ElementType type = t.graph().op(src).type;
  if (node.attribute("dtype") != nullptr) {
    const auto named = element_type(static_cast<int>(node.integer("dtype", 0)));
    if (!named) throw node.not_in_graph("makes no numbers");
    type = *named;
  }
  const Index diagonal = std::clamp<Index>(node.integer("k", 0), -shape[0], shape[1]);
  HostTensor eye = HostTensor::allocate(type, shape);
  with_number(type, [&]<class T>(std::type_identity<T>) {
    const auto cells = eye.view<T>();
    std::fill(cells.begin(), cells.end(), T(0));
    for (Index row = 0; row < shape[0]; ++row)
      if (const Index column = row + diagonal; column >= 0 && column < shape[1])
        cells[static_cast<std::size_t>(row * shape[1] + column)] = T(1);
  });
  t.output(node, HostValue(std::move(eye)));
}

// Drops nothing, as always outside of training; the mask says so for every cell.
void dropout(Translator& t, const Node& node) {
  const bool trains = node.opset() >= 12 && node.has_input(2) && t.known(node, 2).at(0) != 0;
  if (trains && (!node.has_input(1) || t.known(node, 1).at(0) != 0))
    throw node.not_in_graph("drops values at random, as in training");
  t.output(node, t.value(node, 0));
  if (node.proto().output_size() < 2 || node.proto().output(1).empty()) return;
  const HostTensor kept = HostTensor::of<bool>({}, {true});
  const OpId one = t.add(node, {}, Constant{t.graph().add_weight(node.name() + ".kept", {}, kept.data, kept.type)});
  OpId mask = t.shape(node, 0).empty() ? one : t.add(node, {one}, Expand{}, t.shape(node, 0));
  // Masks were of the input's type once.
  if (node.opset() < 10) {
    const ElementType type = t.graph().op(t.op(node, 0)).type;
    mask = t.add(node, {mask}, Pointwise{.kind = PointwiseKind::cast, .to = type});
  }
  t.output(node, mask, 1);
}

}  // namespace

const std::map<std::string, Translation>& repeat_translations() {
  static const std::map<std::string, Translation> table = {
      {"Dropout", dropout}, {"Expand", expand}, {"EyeLike", eye_like}, {"Tile", tile}, {"Trilu", trilu}};
  return table;
}

}  // namespace strake::onnx_import

// SPDX-License-Identifier: Apache-2.0
// Operators that slide windows over feature maps.

#include <algorithm>
#include <cmath>
#include <limits>

#include "onnx/spatial.hpp"

namespace strake::onnx_import {

namespace {

// Of volumes: one window for each axis behind the second.
void conv_nd(Translator& t, const Node& node, Index groups, std::vector<WindowAxis> windows) {
  ConvNd attributes{.windows = std::move(windows), .spread = {}, .groups = groups};
  attributes.spread.assign(attributes.windows.size(), 1);
  attributes.weights = t.weight(node, 1);
  if (node.has_input(2)) attributes.bias = t.weight(node, 2);
  t.output(node, t.add(node, {t.op(node, 0)}, attributes));
}

void conv(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  const HostValue& weights = t.known(node, 1);
  const ConvForm form = conv_form(node, shape, weights.shape);
  if (shape.size() > 4) return conv_nd(t, node, form.groups, windows_of(node, shape, form.kernel));
  Conv attributes;
  attributes.groups = form.groups;
  attributes.window = window_of(node, shape, form.kernel);
  const OpId map = as_map(t, node, src);
  attributes.weights = t.weight(node.proto().input(1), map_shape(weights.shape), weights.floats());
  if (!weights.is_floats()) throw node.error("the weights have to be floats");
  if (node.has_input(2)) attributes.bias = t.weight(node, 2);
  give_back(t, node, t.add(node, {map}, attributes), shape.size());
}

void lrn(Translator& t, const Node& node) {
  const Lrn attributes{node.integer("size", 0), node.number("alpha", 1e-4F), node.number("beta", 0.75F),
                       node.number("bias", 1.0F)};
  if (attributes.size < 1 || attributes.size > largest_window)
    throw node.error("size is " + std::to_string(attributes.size));
  t.output(node, t.add(node, {t.op(node, 0)}, attributes));
}

}  // namespace

const std::map<std::string, Translation>& spatial_translations() {
  static const std::map<std::string, Translation> table = {{"Conv", conv}, {"LRN", lrn}};
  return table;
}

}  // namespace strake::onnx_import

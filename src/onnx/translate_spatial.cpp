// SPDX-License-Identifier: Apache-2.0
// Operators that slide windows over feature maps.

#include <algorithm>
#include <cmath>
#include <limits>

#include "onnx/translator.hpp"

namespace strake::onnx_import {

namespace {

constexpr std::int64_t largest_window = 1 << 20;

// One entry per spatial axis, each at least `least`; defaults where the attribute is missing.
std::vector<Index> per_axis(const Node& node, const std::string& name, std::size_t n_axes, Index otherwise,
                            Index least) {
  std::vector<Index> values(n_axes, otherwise);
  if (const auto given = node.integers(name)) {
    if (given->size() != n_axes)
      throw node.error(name + " has " + std::to_string(given->size()) + " numbers, expected " + std::to_string(n_axes));
    values.assign(given->begin(), given->end());
  }
  for (const Index value : values)
    if (value < least || value > largest_window) throw node.error(name + " has " + std::to_string(value));
  return values;
}

void pad_automatically(WindowAxis& axis, Index size, bool more_in_front) {
  const Index out = (size + axis.stride - 1) / axis.stride;
  const Index all = std::max<Index>((out - 1) * axis.stride + axis.reach() - size, 0);
  axis.pad_begin = more_in_front ? all - all / 2 : all / 2;
  axis.pad_end = all - axis.pad_begin;
}

// The windows along the last two axes; a 1-D operator slides along columns only.
Window2d window_of(const Node& node, const Shape& map, const std::vector<Index>& kernel) {
  const std::size_t n = kernel.size();
  const std::vector<Index> strides = per_axis(node, "strides", n, 1, 1);
  const std::vector<Index> dilations = per_axis(node, "dilations", n, 1, 1);
  std::vector<Index> pads(2 * n, 0);
  if (const auto given = node.integers("pads")) {
    if (given->size() != 2 * n)
      throw node.error("pads has " + std::to_string(given->size()) + " numbers, expected " + std::to_string(2 * n));
    pads.assign(given->begin(), given->end());
    for (const Index pad : pads)
      if (pad < 0 || pad > largest_window) throw node.error("pads has " + std::to_string(pad));
  }
  const std::string automatic = node.text("auto_pad", "NOTSET");
  Window2d window;
  for (std::size_t i = 0; i < n; ++i) {
    WindowAxis axis{kernel[i], strides[i], dilations[i], pads[i], pads[n + i]};
    if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER")
      pad_automatically(axis, map[map.size() - n + i], automatic == "SAME_LOWER");
    else if (automatic == "VALID")
      axis.pad_begin = axis.pad_end = 0;
    else if (automatic != "NOTSET" && !automatic.empty())
      throw node.error("auto_pad is '" + automatic + "'");
    (n == 2 && i == 0 ? window.h : window.w) = axis;
  }
  return window;
}

// (n, c, l) as (n, c, 1, l).
OpId as_map(Translator& t, const Node& node, OpId src) {
  const Shape& shape = t.graph().shape(src);
  if (shape.size() == 4) return src;
  if (shape.size() == 3) return t.reshape(node, src, {shape[0], shape[1], 1, shape[2]});
  throw node.error("input has shape " + to_string(shape) + ", expected (n, c, l) or (n, c, h, w)");
}

void give_back(Translator& t, const Node& node, OpId result, std::size_t n_axes) {
  if (n_axes == 3) {
    const Shape shape = t.graph().shape(result);
    result = t.reshape(node, result, {shape[0], shape[1], shape[3]});
  }
  t.output(node, result);
}

void conv(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  const HostValue& weights = t.known(node, 1);
  if (weights.shape.size() != shape.size() || shape.size() < 3)
    throw node.error("weights have shape " + to_string(weights.shape) + ", the input " + to_string(shape));
  const std::vector<Index> kernel(weights.shape.begin() + 2, weights.shape.end());
  if (const auto declared = node.integers("kernel_shape"); declared && *declared != kernel)
    throw node.error("kernel_shape is not that of the weights, " + to_string(weights.shape));
  Conv attributes;
  attributes.groups = node.integer("group", 1);
  if (attributes.groups < 1 || weights.shape[0] % attributes.groups != 0)
    throw node.error("group is " + std::to_string(attributes.groups) + ", the weights have shape " +
                     to_string(weights.shape));
  attributes.window = window_of(node, shape, kernel);
  const OpId map = as_map(t, node, src);
  Shape weight_shape = weights.shape;
  if (weight_shape.size() == 3) weight_shape.insert(weight_shape.begin() + 2, 1);
  attributes.weights = t.weight(node.proto().input(1), weight_shape, weights.floats);
  if (weights.kind != ValueKind::floats) throw node.error("the weights have to be floats");
  if (node.has_input(2)) attributes.bias = t.weight(node, 2);
  give_back(t, node, t.add(node, {map}, attributes), shape.size());
}

void pool(Translator& t, const Node& node, PoolKind kind) {
  const OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  if (node.proto().output_size() > 1 && !node.proto().output(1).empty())
    throw node.error("the output with indices is not supported");
  if (node.integer("storage_order", 0) != 0) throw node.error("storage_order 1 is not supported");
  const auto declared = node.integers("kernel_shape");
  if (!declared || shape.size() < 3 || declared->size() != shape.size() - 2)
    throw node.error("kernel_shape does not fit an input of shape " + to_string(shape));
  const std::vector<Index> kernel = per_axis(node, "kernel_shape", shape.size() - 2, 1, 1);
  const Window2d window = window_of(node, shape, kernel);
  const Rounding rounding = node.integer("ceil_mode", 0) != 0 ? Rounding::ceil : Rounding::floor;
  const OpId map = as_map(t, node, src);
  const Shape& in = t.graph().shape(map);
  const Shape out{in[0], in[1], output_size(window.h, in[2], rounding), output_size(window.w, in[3], rounding)};
  if (out[2] < 1 || out[3] < 1) throw node.error("the window does not fit into " + to_string(shape));
  const AverageOver over =
      node.integer("count_include_pad", 0) != 0 ? AverageOver::padded_cells : AverageOver::input_cells;
  give_back(t, node, t.add(node, {map}, Pool{kind, window, over}, out), shape.size());
}

void max_pool(Translator& t, const Node& node) { pool(t, node, PoolKind::max); }
void average_pool(Translator& t, const Node& node) { pool(t, node, PoolKind::average); }

void global_pool(Translator& t, const Node& node, GenericReduceKind kind) {
  const OpId src = t.op(node, 0);
  const std::size_t n_axes = t.graph().shape(src).size();
  const OpId map = as_map(t, node, src);
  give_back(t, node, t.add(node, {map}, Reduce{kind, {2, 3}}), n_axes);
}

void global_average_pool(Translator& t, const Node& node) { global_pool(t, node, GenericReduceKind::mean); }
void global_max_pool(Translator& t, const Node& node) { global_pool(t, node, GenericReduceKind::max); }

void batch_normalization(Translator& t, const Node& node) {
  if (node.integer("training_mode", 0) != 0) throw node.error("training mode is not supported");
  const OpId src = t.op(node, 0);
  const Shape& shape = t.graph().shape(src);
  const Index c = shape.size() < 2 ? 0 : shape[1];
  const double epsilon = node.number("epsilon", 1e-5F);
  for (int i = 1; i <= 4; ++i)
    if (t.known(node, i).kind != ValueKind::floats || t.known(node, i).size() != c)
      throw node.error("input " + std::to_string(i) + " has shape " + to_string(t.known(node, i).shape) +
                       ", expected " + std::to_string(c) + " floats");
  const auto values = [&](int input) { return t.known(node, input).floats.floats(); };
  std::vector<float> scale;
  std::vector<float> shift;
  for (std::size_t i = 0; i < static_cast<std::size_t>(c); ++i) {
    const double factor = values(1)[i] / std::sqrt(static_cast<double>(values(4)[i]) + epsilon);
    scale.push_back(static_cast<float>(factor));
    shift.push_back(static_cast<float>(values(2)[i] - static_cast<double>(values(3)[i]) * factor));
  }
  ScaleShift attributes;
  attributes.scale = t.weight(node.name() + "/scale", {c}, Blob::copy_of(scale));
  attributes.shift = t.weight(node.name() + "/shift", {c}, Blob::copy_of(shift));
  t.output(node, t.add(node, {src}, attributes));
}

void lrn(Translator& t, const Node& node) {
  const Lrn attributes{node.integer("size", 0), node.number("alpha", 1e-4F), node.number("beta", 0.75F),
                       node.number("bias", 1.0F)};
  if (attributes.size < 1 || attributes.size > largest_window)
    throw node.error("size is " + std::to_string(attributes.size));
  t.output(node, t.add(node, {t.op(node, 0)}, attributes));
}

// Negative pads cut away; the rest is a Pad.
void pad(Translator& t, const Node& node) {
  OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  if (node.text("mode", "constant") != "constant")
    throw node.error("mode '" + node.text("mode", "") + "' is not supported");
  std::vector<std::int64_t> given =
      node.opset() < 11 ? node.integers("pads").value_or(std::vector<std::int64_t>{}) : t.known_integers(node, 1);
  float value = node.number("value", 0);
  if (node.opset() >= 11 && node.has_input(2) && t.known(node, 2).size() > 0)
    value = static_cast<float>(t.known(node, 2).at(0));
  std::vector<std::int64_t> axes(shape.size());
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<std::int64_t>(i);
  if (node.has_input(3)) axes = t.known_integers(node, 3);
  if (given.size() != 2 * axes.size()) throw node.error("pads has " + std::to_string(given.size()) + " numbers");
  Slice cut{std::vector<Index>(shape.size(), 0), std::vector<Index>(shape.size(), 1)};
  Pad attributes{std::vector<Index>(shape.size(), 0), value};
  Shape cut_shape = shape;
  Shape padded(shape.size(), 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(axis_of(node, axes[i], shape.size()));
    const Index before = given[i];
    const Index after = given[axes.size() + i];
    if (std::abs(before) > largest_window || std::abs(after) > largest_window) throw node.error("a pad is too large");
    cut.begin[axis] = std::max<Index>(-before, 0);
    cut_shape[axis] -= std::max<Index>(-before, 0) + std::max<Index>(-after, 0);
    if (cut_shape[axis] < 1) throw node.error("cuts everything away");
    attributes.begin[axis] = std::max<Index>(before, 0);
    padded[axis] = std::max<Index>(before, 0) + std::max<Index>(after, 0);
  }
  if (cut_shape != shape) src = t.add(node, {src}, cut, cut_shape);
  for (std::size_t axis = 0; axis < padded.size(); ++axis) padded[axis] += cut_shape[axis];
  if (padded != cut_shape) src = t.add(node, {src}, attributes, padded);
  t.output(node, src);
}

}  // namespace

const std::map<std::string, Translation>& spatial_translations() {
  static const std::map<std::string, Translation> table = {{"AveragePool", average_pool},
                                                           {"BatchNormalization", batch_normalization},
                                                           {"Conv", conv},
                                                           {"GlobalAveragePool", global_average_pool},
                                                           {"GlobalMaxPool", global_max_pool},
                                                           {"LRN", lrn},
                                                           {"MaxPool", max_pool},
                                                           {"Pad", pad}};
  return table;
}

}  // namespace strake::onnx_import

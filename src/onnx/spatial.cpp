// SPDX-License-Identifier: Apache-2.0
#include "onnx/spatial.hpp"

#include <algorithm>

namespace strake::onnx_import {

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

std::vector<Index> pads_of(const Node& node, std::size_t n_axes) { return per_axis(node, "pads", 2 * n_axes, 0, 0); }

namespace {

void pad_automatically(WindowAxis& axis, Index size, bool more_in_front) {
  const Index out = (size + axis.stride - 1) / axis.stride;
  const Index all = std::max<Index>((out - 1) * axis.stride + axis.reach() - size, 0);
  axis.pad_begin = more_in_front ? all - all / 2 : all / 2;
  axis.pad_end = all - axis.pad_begin;
}

}  // namespace

std::vector<WindowAxis> windows_of(const Node& node, const Shape& map, const std::vector<Index>& kernel) {
  const std::size_t n = kernel.size();
  const std::vector<Index> strides = per_axis(node, "strides", n, 1, 1);
  const std::vector<Index> dilations = per_axis(node, "dilations", n, 1, 1);
  const std::vector<Index> pads = pads_of(node, n);
  const std::string automatic = node.text("auto_pad", "NOTSET");
  std::vector<WindowAxis> windows;
  for (std::size_t i = 0; i < n; ++i) {
    WindowAxis axis{kernel[i], strides[i], dilations[i], pads[i], pads[n + i]};
    if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER")
      pad_automatically(axis, map[map.size() - n + i], automatic == "SAME_LOWER");
    else if (automatic == "VALID")
      axis.pad_begin = axis.pad_end = 0;
    else if (automatic != "NOTSET" && !automatic.empty())
      throw node.error("auto_pad is '" + automatic + "', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER");
    windows.push_back(axis);
  }
  return windows;
}

Window2d window_of(const Node& node, const Shape& map, const std::vector<Index>& kernel) {
  const std::vector<WindowAxis> windows = windows_of(node, map, kernel);
  return {.h = windows.size() == 2 ? windows.front() : WindowAxis{}, .w = windows.back()};
}

ConvForm conv_form(const Node& node, const Shape& src, const Shape& weights) {
  if (weights.size() != src.size() || src.size() < 3)
    throw node.error("weights have shape " + to_string(weights) + ", the input " + to_string(src));
  const ConvForm form{.groups = node.integer("group", 1), .kernel = {weights.begin() + 2, weights.end()}};
  if (const auto declared = node.integers("kernel_shape"); declared && *declared != form.kernel)
    throw node.error("kernel_shape is not that of the weights, " + to_string(weights));
  if (form.groups < 1 || weights[0] % form.groups != 0)
    throw node.error("group is " + std::to_string(form.groups) + ", the weights have shape " + to_string(weights));
  return form;
}

Shape map_shape(Shape shape) {
  if (shape.size() == 3) shape.insert(shape.begin() + 2, 1);
  return shape;
}

OpId as_map(Translator& t, const Node& node, OpId src) {
  const Shape& shape = t.graph().shape(src);
  if (shape.size() == 4) return src;
  if (shape.size() == 3) return t.reshape(node, src, {shape[0], shape[1], 1, shape[2]});
  throw node.error("input has shape " + to_string(shape) + ", expected (n, c, l) or (n, c, h, w)");
}

void give_back(Translator& t, const Node& node, OpId result, std::size_t n_axes, int place) {
  if (n_axes == 3) {
    const Shape shape = t.graph().shape(result);
    result = t.reshape(node, result, {shape[0], shape[1], shape[3]});
  }
  t.output(node, result, place);
}

OpId scalar(Translator& t, const Node& node, float value) {
  const std::vector<float> values = {value};
  return t.add(node, {}, Constant{t.weight(node.name() + "/scalar", {}, Blob::copy_of(values))});
}

std::vector<float> known_floats(const Translator& t, const Node& node, int input) {
  const auto& known = t.known(node, input);
  std::vector<float> values;
  for (Index i = 0; i < known.size(); ++i) values.push_back(static_cast<float>(known.at(i)));
  return values;
}

}  // namespace strake::onnx_import

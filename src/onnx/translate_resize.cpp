// SPDX-License-Identifier: Apache-2.0
// Operators that change the size of maps or move their cells: Resize, DepthToSpace, Pad, GridSample, RoiAlign ...

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "onnx/spatial.hpp"

namespace strake::onnx_import {

namespace {

// The choice that a text attribute names.
template <class T>
T chosen(const Node& node, const std::string& name, const std::string& otherwise,
         const std::map<std::string, T>& choices) {
  const std::string text = node.text(name, otherwise);
  const auto found = choices.find(text);
  if (found == choices.end()) throw node.error(name + " is '" + text + "'");
  return found->second;
}

// ---- resizing -----------------------------------------------------------------------------------------------------

bool given(const Translator& t, const Node& node, int input) {
  return node.has_input(input) && t.known(node, input).size() > 0;
}

// The axes that scales, sizes and regions are for.
std::vector<std::size_t> resized_axes(const Node& node, std::size_t n_axes) {
  std::vector<std::size_t> axes;
  if (const auto listed = node.integers("axes")) {
    for (const std::int64_t axis : *listed) axes.push_back(static_cast<std::size_t>(axis_of(node, axis, n_axes)));
  } else {
    for (std::size_t axis = 0; axis < n_axes; ++axis) axes.push_back(axis);
  }
  return axes;
}

void expect_length(const Node& node, const std::string& what, std::size_t found, std::size_t expected) {
  if (found != expected)
    throw node.error(what + " has " + std::to_string(found) + " numbers, expected " + std::to_string(expected));
}

void scale_axes(const Node& node, const Shape& src, const std::vector<std::size_t>& axes,
                const std::vector<float>& scales, Resize& op, Shape& dst) {
  expect_length(node, "scales", scales.size(), axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = axes[i];
    if (!(scales[i] > 0) || scales[i] > static_cast<float>(largest_window))
      throw node.error("a scale is " + std::to_string(scales[i]));
    op.scale[axis] = scales[i];
    op.length[axis] = op.scale[axis] * static_cast<double>(src[axis]);
    dst[axis] = static_cast<Index>(std::floor(static_cast<float>(src[axis]) * scales[i]));
  }
}

// Sizes as they are wanted, or the nearest that keep the ratio of the axes.
void size_axes(const Node& node, const Shape& src, const std::vector<std::size_t>& axes,
               const std::vector<std::int64_t>& sizes, Resize& op, Shape& dst) {
  expect_length(node, "sizes", sizes.size(), axes.size());
  const std::string policy = node.text("keep_aspect_ratio_policy", "stretch");
  if (policy != "stretch" && policy != "not_larger" && policy != "not_smaller")
    throw node.error("keep_aspect_ratio_policy is '" + policy + "'");
  const auto ratio = [&](std::size_t i) { return static_cast<double>(sizes[i]) / static_cast<double>(src[axes[i]]); };
  double common = ratio(0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (sizes[i] < 1 || sizes[i] > most_folded_elements) throw node.error("a size is " + std::to_string(sizes[i]));
    common = policy == "not_larger" ? std::min(common, ratio(i)) : std::max(common, ratio(i));
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = axes[i];
    op.scale[axis] = policy == "stretch" ? ratio(i) : common;
    op.length[axis] = policy == "stretch" ? static_cast<double>(sizes[i]) : common * static_cast<double>(src[axis]);
    dst[axis] = policy == "stretch" ? sizes[i] : static_cast<Index>(std::floor(op.length[axis] + 0.5));
  }
}

ResizeKind resize_kind(const Node& node) {
  return chosen<ResizeKind>(node, "mode", "nearest",
                            {{"nearest", ResizeKind::nearest},
                             {"linear", ResizeKind::linear},
                             {"bilinear", ResizeKind::linear},
                             {"cubic", ResizeKind::cubic}});
}

// How a node of opset 11 or later interpolates.
void read_rules(const Node& node, Resize& op) {
  op.place = chosen<ResizePlace>(node, "coordinate_transformation_mode", "half_pixel",
                                 {{"half_pixel", ResizePlace::half_pixel},
                                  {"half_pixel_symmetric", ResizePlace::half_pixel_symmetric},
                                  {"pytorch_half_pixel", ResizePlace::pytorch_half_pixel},
                                  {"align_corners", ResizePlace::align_corners},
                                  {"asymmetric", ResizePlace::asymmetric},
                                  {"tf_half_pixel_for_nn", ResizePlace::tf_half_pixel_for_nn},
                                  {"tf_crop_and_resize", ResizePlace::tf_crop_and_resize}});
  op.nearest = chosen<NearestKind>(node, "nearest_mode", "round_prefer_floor",
                                   {{"round_prefer_floor", NearestKind::round_prefer_floor},
                                    {"round_prefer_ceil", NearestKind::round_prefer_ceil},
                                    {"floor", NearestKind::floor},
                                    {"ceil", NearestKind::ceil}});
  op.border = node.integer("exclude_outside", 0) != 0 ? ResizeBorder::exclude : ResizeBorder::edge;
  op.antialias = node.integer("antialias", 0) != 0 ? Antialias::on : Antialias::off;
  op.cubic = node.number("cubic_coeff_a", -0.75F);
  op.extrapolation = node.number("extrapolation_value", 0);
}

void read_region(const Translator& t, const Node& node, const std::vector<std::size_t>& axes, Resize& op) {
  if (op.place != ResizePlace::tf_crop_and_resize) return;
  const std::vector<float> roi = known_floats(t, node, 1);
  expect_length(node, "roi", roi.size(), 2 * axes.size());
  for (const float end : roi)
    if (!(std::abs(end) < 1e6F)) throw node.error("roi has " + std::to_string(end));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    op.roi_begin[axes[i]] = roi[i];
    op.roi_end[axes[i]] = roi[axes.size() + i];
  }
}

Resize unchanged(const Shape& src) {
  Resize op;
  op.scale.assign(src.size(), 1);
  op.length.assign(src.begin(), src.end());
  op.roi_begin.assign(src.size(), 0);
  op.roi_end.assign(src.size(), 1);
  return op;
}

void add_resize(Translator& t, const Node& node, OpId src, const Resize& op, const Shape& dst) {
  bool changes = false;
  for (std::size_t axis = 0; axis < dst.size(); ++axis)
    changes = changes || resizes(op, axis, t.graph().shape(src)[axis], dst[axis]);
  t.output(node, changes ? t.add(node, {src}, op, dst) : src);
}

// Upsample, and Resize before opset 11.
void upsample(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  std::vector<float> scales;
  if (const auto* listed = node.attribute("scales"); listed != nullptr)
    scales.assign(listed->floats().begin(), listed->floats().end());
  else if (node.attribute("height_scale") != nullptr)  // before opset 7, of maps only
    scales = {1, 1, node.number("height_scale", 1), node.number("width_scale", 1)};
  else
    scales = known_floats(t, node, 1);
  Resize op = unchanged(shape);
  op.kind = resize_kind(node);
  op.place = ResizePlace::asymmetric;
  op.nearest = NearestKind::simple;
  Shape dst = shape;
  scale_axes(node, shape, resized_axes(node, shape.size()), scales, op, dst);
  add_resize(t, node, src, op, dst);
}

void resize(Translator& t, const Node& node) {
  if (node.opset() < 11) return upsample(t, node);
  const OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  const std::vector<std::size_t> axes = resized_axes(node, shape.size());
  Resize op = unchanged(shape);
  op.kind = resize_kind(node);
  read_rules(node, op);
  read_region(t, node, axes, op);
  Shape dst = shape;
  if (given(t, node, 3))
    size_axes(node, shape, axes, t.known_integers(node, 3), op, dst);
  else if (given(t, node, 2))
    scale_axes(node, shape, axes, known_floats(t, node, 2), op, dst);
  else
    throw node.error("has neither scales nor sizes");
  add_resize(t, node, src, op, dst);
}

// ---- blocks and borders -------------------------------------------------------------------------------------------

Index block_size(const Node& node) {
  const Index block = node.integer("blocksize", 0);
  if (block < 1 || block > largest_window) throw node.error("blocksize is " + std::to_string(block));
  return block;
}

void depth_to_space(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const Index block = block_size(node);
  const bool crd = chosen<bool>(node, "mode", "DCR", {{"DCR", false}, {"CRD", true}});
  const Shape& shape = t.graph().shape(src);
  const Index groups = crd && shape.size() == 4 ? std::max<Index>(shape[1] / (block * block), 1) : 1;
  t.output(node, t.add(node, {src}, DepthToSpace{block, block, groups, 0, 0}));
}

void space_to_depth(Translator& t, const Node& node) {
  const Index block = block_size(node);
  t.output(node, t.add(node, {t.op(node, 0)}, SpaceToDepth{block, block, 1}));
}

// Negative pads cut away; the rest is a Pad or a BorderPad.
void pad(Translator& t, const Node& node) {
  OpId src = t.op(node, 0);
  const Shape shape = t.graph().shape(src);
  const std::string mode = node.text("mode", "constant");
  const std::map<std::string, BorderKind> borders = {
      {"reflect", BorderKind::reflect}, {"edge", BorderKind::edge}, {"wrap", BorderKind::wrap}};
  if (mode != "constant" && !borders.contains(mode)) throw node.error("mode is '" + mode + "'");
  std::vector<std::int64_t> given =
      node.opset() < 11 ? node.integers(node.opset() < 2 ? "paddings" : "pads").value_or(std::vector<std::int64_t>{})
                        : t.known_integers(node, 1);
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
  if (padded != cut_shape && mode == "constant") src = t.add(node, {src}, attributes, padded);
  if (padded != cut_shape && mode != "constant")
    src = t.add(node, {src}, BorderPad{borders.at(mode), attributes.begin}, padded);
  t.output(node, src);
}

// ---- samples ------------------------------------------------------------------------------------------------------

void grid_sample(Translator& t, const Node& node) {
  GridSample op;
  op.kind = chosen<SampleKind>(node, "mode", "linear",
                               {{"nearest", SampleKind::nearest},
                                {"linear", SampleKind::linear},
                                {"bilinear", SampleKind::linear},
                                {"cubic", SampleKind::cubic},
                                {"bicubic", SampleKind::cubic}});
  op.border = chosen<SampleBorder>(
      node, "padding_mode", "zeros",
      {{"zeros", SampleBorder::zeros}, {"border", SampleBorder::edge}, {"reflection", SampleBorder::reflect}});
  op.corners = node.integer("align_corners", 0) != 0 ? Corners::centres : Corners::edges;
  const OpId src = t.op(node, 0);
  const OpId grid = t.op(node, 1);
  t.output(node, t.add(node, {src, grid}, op));
}

// theta (n, 2, 3) times the places (x, y, 1) of a map's cells.
void affine_grid(Translator& t, const Node& node) {
  const OpId theta = t.op(node, 0);
  const std::vector<std::int64_t> size = t.known_integers(node, 1);
  if (size.size() != 4 || t.graph().shape(theta) != Shape{size[0], 2, 3})
    throw node.error("is only supported for maps: theta has shape " + to_string(t.graph().shape(theta)));
  const Index h = size[2];
  const Index w = size[3];
  if (h < 1 || w < 1 || h > largest_window || w > largest_window || h * w > most_folded_elements / 8)
    throw node.error("size is " + to_string(Shape(size.begin(), size.end())));
  const bool centres = node.integer("align_corners", 0) != 0;
  const auto place = [centres](Index at, Index cells) {
    const auto n = static_cast<double>(cells);
    if (centres) return cells == 1 ? 0.0 : 2 * static_cast<double>(at) / (n - 1) - 1;
    return (2 * static_cast<double>(at) + 1) / n - 1;
  };
  std::vector<float> places;
  places.reserve(static_cast<std::size_t>(h * w * 3));
  for (Index y = 0; y < h; ++y)
    for (Index x = 0; x < w; ++x)
      places.insert(places.end(), {static_cast<float>(place(x, w)), static_cast<float>(place(y, h)), 1.0F});
  const WeightId weight = t.weight(node.name() + "/places", {h * w, 3}, Blob::copy_of(places));
  const OpId base = t.add(node, {}, Constant{weight}, {h * w, 3});
  const OpId turned = t.add(node, {theta}, Transpose{{0, 2, 1}});
  t.output(node, t.reshape(node, t.add(node, {base, turned}, MatMul{}), {size[0], h, w, 2}));
}

void roi_align(Translator& t, const Node& node) {
  RoiAlign op;
  op.kind = chosen<RoiKind>(node, "mode", "avg", {{"avg", RoiKind::average}, {"max", RoiKind::max}});
  op.sampling_ratio = node.integer("sampling_ratio", 0);
  op.spatial_scale = node.number("spatial_scale", 1);
  op.offset =
      chosen<float>(node, "coordinate_transformation_mode", node.opset() < 16 ? "output_half_pixel" : "half_pixel",
                    {{"half_pixel", 0.5F}, {"output_half_pixel", 0.0F}});
  const Index h = node.integer("output_height", 1);
  const Index w = node.integer("output_width", 1);
  if (h < 1 || w < 1 || h > largest_window || w > largest_window) throw node.error("its output is empty");
  const OpId map = t.op(node, 0);
  const OpId rois = t.op(node, 1);
  const OpId batches = t.op(node, 2);
  const Shape& shape = t.graph().shape(map);
  if (shape.size() != 4 || t.graph().shape(rois).empty()) throw node.error("its inputs are no map and rois");
  t.output(node, t.add(node, {map, rois, batches}, op, {t.graph().shape(rois)[0], shape[1], h, w}));
}

}  // namespace

const std::map<std::string, Translation>& resize_translations() {
  static const std::map<std::string, Translation> table = {{"AffineGrid", affine_grid},
                                                           {"DepthToSpace", depth_to_space},
                                                           {"GridSample", grid_sample},
                                                           {"Pad", pad},
                                                           {"Resize", resize},
                                                           {"RoiAlign", roi_align},
                                                           {"SpaceToDepth", space_to_depth},
                                                           {"Upsample", upsample}};
  return table;
}

}  // namespace strake::onnx_import

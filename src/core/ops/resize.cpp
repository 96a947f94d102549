// SPDX-License-Identifier: Apache-2.0
#include "core/ops/resize.hpp"

#include <algorithm>
#include <cmath>

#include "core/op_rules.hpp"

namespace strake {

namespace {

// The place of output cell `at` in the input. In double throughout: the same on every machine.
double place_of(const Resize& op, std::size_t axis, Index src_size, Index dst_size, Index at) {
  const double scale = op.scale[axis];
  const double length = op.length[axis];
  const auto x = static_cast<double>(at);
  const double last = static_cast<double>(src_size - 1);
  switch (op.place) {
    case ResizePlace::half_pixel:
      return (x + 0.5) / scale - 0.5;
    case ResizePlace::half_pixel_symmetric: {
      const double centre = static_cast<double>(src_size) / 2;
      return centre * (1 - static_cast<double>(dst_size) / length) + (x + 0.5) / scale - 0.5;
    }
    case ResizePlace::pytorch_half_pixel:
      return dst_size == 1 ? 0 : (x + 0.5) / scale - 0.5;
    case ResizePlace::align_corners:
      return length == 1 || dst_size == 1 ? 0 : x * last / (length - 1);
    case ResizePlace::asymmetric:
      return x / scale;
    case ResizePlace::tf_half_pixel_for_nn:
      return (x + 0.5) / scale;
    case ResizePlace::tf_crop_and_resize: {
      const double begin = op.roi_begin[axis] * last;
      const double size = (op.roi_end[axis] - op.roi_begin[axis]) * last;
      return dst_size == 1 ? begin + size / 2 : begin + x * size / (length - 1);
    }
  }
  return 0;
}

// As cells, kept inside a range that no map reaches: places come from files.
Index whole_number(double place) { return static_cast<Index>(std::clamp(place, -1e12, 1e12)); }

Index nearest_to(const Resize& op, std::size_t axis, double place) {
  switch (op.nearest) {
    case NearestKind::round_prefer_floor:
      return whole_number(std::ceil(place - 0.5));
    case NearestKind::round_prefer_ceil:
      return whole_number(std::floor(place + 0.5));
    case NearestKind::floor:
      return whole_number(std::floor(place));
    case NearestKind::ceil:
      return whole_number(std::ceil(place));
    case NearestKind::simple:
      return whole_number(op.scale[axis] < 1 ? std::ceil(place) : std::floor(place));
  }
  return 0;
}

double linear_weight(double distance) { return std::max(1 - std::abs(distance), 0.0); }

// Source: R. Keys, Cubic convolution interpolation for digital image processing, 1981.
double cubic_weight(double distance, double a) {
  const double x = std::abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

/// Cells [first, first + n) that a place mixes; they may lie outside the map.
struct Footprint {
  Index first = 0;
  Index n = 1;
};

// How much wider the filter is where a shrinking map mixes all cells.
double filter_scale(const Resize& op, std::size_t axis) {
  return op.antialias == Antialias::on ? std::min(op.scale[axis], 1.0) : 1.0;
}

Footprint footprint_of(const Resize& op, std::size_t axis, double place) {
  if (op.kind == ResizeKind::nearest) return {nearest_to(op, axis, place), 1};
  const double reach = op.kind == ResizeKind::linear ? 1 : 2;
  const Index start = whole_number(std::floor(-reach / filter_scale(op, axis))) + 1;
  return {whole_number(std::floor(place)) + start, 2 - 2 * start};
}

Interval clamped(const Footprint& cells, Index size) {
  const Index first = std::clamp<Index>(cells.first, 0, size - 1);
  return {first, std::clamp<Index>(cells.first + cells.n - 1, 0, size - 1) + 1};
}

std::vector<double> weights_of(const Resize& op, std::size_t axis, double place, const Footprint& cells, Index size) {
  if (op.kind == ResizeKind::nearest) return {1};
  std::vector<double> weights;
  double sum = 0;
  const double scale = filter_scale(op, axis);
  for (Index i = cells.first; i < cells.first + cells.n; ++i) {
    const double distance = (static_cast<double>(i) - place) * scale;
    double weight = op.kind == ResizeKind::linear ? linear_weight(distance) : cubic_weight(distance, op.cubic);
    if (op.border == ResizeBorder::exclude && (i < 0 || i >= size)) weight = 0;
    weights.push_back(weight);
    sum += weight;
  }
  if (sum != 0 && (op.border == ResizeBorder::exclude || scale < 1))
    for (double& weight : weights) weight /= sum;
  return weights;
}

}  // namespace

bool resizes(const Resize& op, std::size_t axis, Index src_size, Index dst_size) {
  if (op.place == ResizePlace::tf_crop_and_resize && (op.roi_begin[axis] != 0 || op.roi_end[axis] != 1)) return true;
  return op.scale[axis] != 1 || src_size != dst_size;
}

ResizeTaps resize_taps(const Resize& op, std::size_t axis, Index src_size, Index dst_size, Index at) {
  if (!resizes(op, axis, src_size, dst_size)) return {.first = at, .weights = {1.0F}};
  const double place = place_of(op, axis, src_size, dst_size, at);
  const Footprint cells = footprint_of(op, axis, place);
  const Interval inside = clamped(cells, src_size);
  const std::vector<double> weights = weights_of(op, axis, place, cells, src_size);
  std::vector<double> sums(static_cast<std::size_t>(inside.size()));
  for (Index i = 0; i < cells.n; ++i) {
    const Index cell = std::clamp<Index>(cells.first + i, 0, src_size - 1);
    sums[static_cast<std::size_t>(cell - inside.begin)] += weights[static_cast<std::size_t>(i)];
  }
  ResizeTaps taps{.first = inside.begin, .weights = {sums.begin(), sums.end()}};
  taps.outside =
      op.place == ResizePlace::tf_crop_and_resize && (place < 0 || place > static_cast<double>(src_size - 1));
  return taps;
}

Shape shape_of(const OpRules& rules, const Resize& op) {
  rules.expect_inputs(1, 1);
  const Shape& src = rules.src();
  const Shape& dst = rules.op().shape;
  for (const std::vector<double>* list : {&op.scale, &op.length, &op.roi_begin, &op.roi_end})
    rules.require(list->size() == src.size() && dst.size() == src.size(),
                  "a size, a scale and a region for each axis of " + to_string(src), std::to_string(list->size()));
  // A filter wider than any map would only cost memory.
  for (const double scale : op.scale)
    rules.require(scale > 1e-5 && scale < 1e9, "scales that make a map", std::to_string(scale));
  for (const Index size : dst) rules.require(size >= 1, "an output that is not empty", to_string(dst));
  if (op.kind != ResizeKind::nearest) rules.expect_type(0, ElementType::f32);
  return dst;
}

std::vector<Box> reads(const OpRules& rules, const Resize& op, const Box& dst) {
  Box box = dst;
  for (std::size_t axis = 0; axis < dst.rank(); ++axis) {
    const Index src_size = rules.src()[axis];
    const Index dst_size = rules.op().shape[axis];
    if (!resizes(op, axis, src_size, dst_size)) continue;
    // Places run one way, so the ends of the box enclose what lies between them.
    Interval hull{src_size, 0};
    for (const Index at : {dst[axis].begin, dst[axis].end - 1}) {
      const Footprint cells = footprint_of(op, axis, place_of(op, axis, src_size, dst_size, at));
      const Interval inside = clamped(cells, src_size);
      hull = {std::min(hull.begin, inside.begin), std::max(hull.end, inside.end)};
    }
    box[axis] = hull;
  }
  return {box};
}

}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#include "core/ops/window_ops.hpp"

#include <algorithm>
#include <cstdlib>

#include "core/op_rules.hpp"

namespace strake {

namespace {

constexpr Index largest = Index{1} << 24;  // as for the windows of Conv and Pool

Index floor_div(Index a, Index b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }
Index ceil_div(Index a, Index b) { return -floor_div(-a, b); }

const Shape& map_of(const OpRules& rules) {
  const Shape& src = rules.src();
  rules.require(src.size() == 4, "a feature map (n, c, h, w)", to_string(src));
  return src;
}

void check_blocks(const OpRules& rules, Index block_h, Index block_w, Index groups, Index channels) {
  const bool fits = block_h >= 1 && block_w >= 1 && groups >= 1 && block_h <= largest && block_w <= largest &&
                    groups <= largest && channels % groups == 0;
  rules.require(fits, "blocks and groups of at least 1 that divide " + std::to_string(channels) + " channels",
                std::to_string(block_h) + "x" + std::to_string(block_w) + " in " + std::to_string(groups) + " groups");
}

}  // namespace

// ---- blocks of cells ----------------------------------------------------------------------------------------------

Shape shape_of(const OpRules& rules, const DepthToSpace& op) {
  rules.expect_inputs(1, 1);
  const Shape& src = map_of(rules);
  check_blocks(rules, op.block_h, op.block_w, op.groups, src[1]);
  const Index cells = op.block_h * op.block_w;
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): check_blocks refuses blocks without cells.
  rules.require(src[1] / op.groups % cells == 0, "channels in blocks of " + std::to_string(cells), to_string(src));
  Shape all = {src[0], src[1] / cells, src[2] * op.block_h, src[3] * op.block_w};
  const Shape& given = rules.op().shape;
  if (given.empty()) {
    rules.require(op.begin_h == 0 && op.begin_w == 0, "an output's shape", "none");
    return all;
  }
  rules.require(given.size() == 4 && given[0] == all[0] && given[1] == all[1] && op.begin_h >= 0 && op.begin_w >= 0 &&
                    op.begin_h < all[2] && op.begin_w < all[3] && given[2] >= 1 && given[3] >= 1 &&
                    given[2] <= all[2] - op.begin_h && given[3] <= all[3] - op.begin_w,
                "an output inside " + to_string(all), to_string(given));
  return given;
}

std::vector<Box> reads(const OpRules& rules, const DepthToSpace& op, const Box& dst) {
  const auto cells = [](Interval dst_cells, Index begin, Index block) {
    return Interval{(dst_cells.begin + begin) / block, (dst_cells.end - 1 + begin) / block + 1};
  };
  const Index per_group = rules.src()[1] / op.groups;
  const Index dst_per_group = rules.op().shape[1] / op.groups;
  const Interval channels{dst[1].begin / dst_per_group * per_group, ((dst[1].end - 1) / dst_per_group + 1) * per_group};
  return {Box{{dst[0], channels, cells(dst[2], op.begin_h, op.block_h), cells(dst[3], op.begin_w, op.block_w)}}};
}

bool cuts_along(const OpRules& /*rules*/, const DepthToSpace& op, std::size_t axis) {
  return axis != 1 || op.groups > 1;
}

Shape shape_of(const OpRules& rules, const SpaceToDepth& op) {
  rules.expect_inputs(1, 1);
  const Shape& src = map_of(rules);
  check_blocks(rules, op.block_h, op.block_w, op.groups, src[1]);
  rules.require(src[2] % op.block_h == 0 && src[3] % op.block_w == 0,
                "a map in blocks of " + std::to_string(op.block_h) + "x" + std::to_string(op.block_w), to_string(src));
  return {src[0], src[1] * op.block_h * op.block_w, src[2] / op.block_h, src[3] / op.block_w};
}

std::vector<Box> reads(const OpRules& rules, const SpaceToDepth& op, const Box& dst) {
  const Index per_group = rules.src()[1] / op.groups;
  const Index dst_per_group = rules.op().shape[1] / op.groups;
  const Interval channels{dst[1].begin / dst_per_group * per_group, ((dst[1].end - 1) / dst_per_group + 1) * per_group};
  return {Box{{dst[0],
               channels,
               {dst[2].begin * op.block_h, dst[2].end * op.block_h},
               {dst[3].begin * op.block_w, dst[3].end * op.block_w}}}};
}

bool cuts_along(const OpRules& /*rules*/, const SpaceToDepth& op, std::size_t axis) {
  return axis != 1 || op.groups > 1;
}

// ---- borders ------------------------------------------------------------------------------------------------------

Index border_source(BorderKind kind, Index place, Index size) {
  const auto modulo = [](Index a, Index b) { return a - floor_div(a, b) * b; };
  switch (kind) {
    case BorderKind::edge:
      return std::clamp<Index>(place, 0, size - 1);
    case BorderKind::wrap:
      return modulo(place, size);
    case BorderKind::reflect:
      if (size == 1) return 0;
      return size - 1 - std::abs(size - 1 - modulo(place, 2 * (size - 1)));
  }
  return 0;
}

Shape shape_of(const OpRules& rules, const BorderPad& op) {
  rules.expect_inputs(1, 1);
  const Shape& src = rules.src();
  const Shape& dst = rules.op().shape;
  rules.require(op.begin.size() == src.size() && dst.size() == src.size(),
                "a size and cells in front for each axis of " + to_string(src), std::to_string(op.begin.size()));
  for (const Index begin : op.begin)
    rules.require(std::abs(begin) <= largest, "at most 2^24 cells in front", std::to_string(begin));
  return dst;
}

std::vector<Box> reads(const OpRules& rules, const BorderPad& op, const Box& dst) {
  Box box = dst;
  for (std::size_t axis = 0; axis < dst.rank(); ++axis) {
    const Index size = rules.src()[axis];
    const Interval places{dst[axis].begin - op.begin[axis], dst[axis].end - op.begin[axis]};
    Interval all = intersect(places, {0, size});
    const auto add = [&](Index begin, Index end) {
      for (Index place = begin; place < end && all != Interval{0, size}; ++place) {
        const Index cell = border_source(op.kind, place, size);
        all = hull(all, {cell, cell + 1});
      }
    };
    add(places.begin, std::min<Index>(places.end, 0));
    add(std::max(places.begin, size), places.end);
    box[axis] = all;
  }
  return {box};
}

// ---- windows of any number of axes --------------------------------------------------------------------------------

namespace {

void check_rank(const OpRules& rules, std::size_t n_windows) {
  const Shape& src = rules.src();
  rules.require(n_windows >= 1 && src.size() == n_windows + 2, "a window for each axis behind the second",
                std::to_string(n_windows) + " for " + to_string(src));
}

// Cells between the first and the last of an axis with zeros between them.
Index spread_size(Index size, Index spread) { return (size - 1) * spread + 1; }

// What a pooled cell's window covers may come from these cells: the inverse of `input_interval`.
Interval windows_over(const WindowAxis& window, Interval cells, Index n_windows) {
  const Index first = ceil_div(cells.begin + window.pad_begin - (window.reach() - 1), window.stride);
  const Index last = floor_div(cells.end - 1 + window.pad_begin, window.stride);
  return intersect({first, last + 1}, {0, n_windows});
}

}  // namespace

Shape shape_of(const OpRules& rules, const PoolNd& op) {
  rules.expect_inputs(1, 1);
  check_rank(rules, op.windows.size());
  Shape dst = rules.src();
  const Shape& given = rules.op().shape;
  for (std::size_t i = 0; i < op.windows.size(); ++i)
    dst[i + 2] = rules.window_size(op.windows[i], dst[i + 2], given.size() == dst.size() ? given[i + 2] : 0);
  rules.require(given.empty() || given == dst, "an output " + to_string(dst), to_string(given));
  return dst;
}

std::vector<Box> reads(const OpRules& rules, const PoolNd& op, const Box& dst) {
  Box box = dst;
  for (std::size_t i = 0; i < op.windows.size(); ++i)
    box[i + 2] = input_interval(op.windows[i], dst[i + 2], rules.src()[i + 2]);
  return {box};
}

ElementType type_of(const OpRules& rules, const PoolNd& /*op*/) {
  rules.expect_type(0, ElementType::f32);
  return ElementType::f32;
}

Shape shape_of(const OpRules& rules, const ConvNd& op) {
  rules.expect_inputs(1, 1);
  check_rank(rules, op.windows.size());
  const Shape& src = rules.src();
  rules.require(op.weights >= 0 && op.weights < static_cast<int>(rules.graph().weights.size()), "weights", "none");
  const Shape& weights = rules.graph().weight(op.weights).shape;
  rules.require(weights.size() == src.size() && op.spread.size() == op.windows.size(),
                "weights for an input " + to_string(src), to_string(weights));
  rules.require(
      op.groups >= 1 && src[1] % op.groups == 0 && weights[0] % op.groups == 0 && weights[1] == src[1] / op.groups,
      "groups that divide the channels of " + to_string(src), std::to_string(op.groups));
  if (op.bias != -1)
    rules.require(op.bias >= 0 && op.bias < static_cast<int>(rules.graph().weights.size()) &&
                      volume(rules.graph().weight(op.bias).shape) == weights[0],
                  "a bias of " + std::to_string(weights[0]) + " values", std::to_string(op.bias));
  Shape dst = {src[0], weights[0]};
  for (std::size_t i = 0; i < op.windows.size(); ++i) {
    const WindowAxis& window = op.windows[i];
    rules.require(window.kernel == weights[i + 2] && window.kernel <= largest && window.stride >= 1 &&
                      window.stride <= largest && window.dilation >= 1 && window.dilation <= largest &&
                      std::abs(window.pad_begin) <= largest && std::abs(window.pad_end) <= largest &&
                      op.spread[i] >= 1 && op.spread[i] <= largest,
                  "windows of the weights " + to_string(weights), std::to_string(window.kernel));
    dst.push_back(output_size(window, spread_size(src[i + 2], op.spread[i]), Rounding::floor));
    rules.require(dst.back() >= 1, "a map that holds its window", to_string(src));
  }
  return dst;
}

std::vector<Box> reads(const OpRules& rules, const ConvNd& op, const Box& dst) {
  Box box = dst;
  const Index per_group = rules.src()[1] / op.groups;
  const Index dst_per_group = rules.op().shape[1] / op.groups;
  box[1] = {dst[1].begin / dst_per_group * per_group, ((dst[1].end - 1) / dst_per_group + 1) * per_group};
  for (std::size_t i = 0; i < op.windows.size(); ++i) {
    const Interval spread = input_interval(op.windows[i], dst[i + 2], spread_size(rules.src()[i + 2], op.spread[i]));
    box[i + 2] = spread.empty()
                     ? Interval{}
                     : Interval{ceil_div(spread.begin, op.spread[i]), floor_div(spread.end - 1, op.spread[i]) + 1};
  }
  return {box};
}

bool cuts_along(const OpRules& /*rules*/, const ConvNd& op, std::size_t axis) { return axis != 1 || op.groups == 1; }

ElementType type_of(const OpRules& rules, const ConvNd& /*op*/) {
  rules.expect_type(0, ElementType::f32);
  return ElementType::f32;
}

Shape shape_of(const OpRules& rules, const PoolIndices& op) {
  rules.expect_inputs(1, 1);
  const Shape& src = map_of(rules);
  const Shape& given = rules.op().shape;
  const bool known = given.size() == 4;
  Shape dst = {src[0], src[1], rules.window_size(op.window.h, src[2], known ? given[2] : 0),
               rules.window_size(op.window.w, src[3], known ? given[3] : 0)};
  rules.require(given.empty() || given == dst, "an output " + to_string(dst), to_string(given));
  return dst;
}

std::vector<Box> reads(const OpRules& rules, const PoolIndices& op, const Box& dst) {
  const Shape& src = rules.src();
  return {
      Box{{dst[0], dst[1], input_interval(op.window.h, dst[2], src[2]), input_interval(op.window.w, dst[3], src[3])}}};
}

ElementType type_of(const OpRules& rules, const PoolIndices& /*op*/) {
  rules.expect_type(0, ElementType::f32);
  return ElementType::i64;
}

Shape shape_of(const OpRules& rules, const MaxUnpool& op) {
  rules.expect_inputs(2, 2);
  const Shape& src = map_of(rules);
  const Shape& dst = rules.op().shape;
  rules.require(rules.src(1) == src, "indices " + to_string(src), to_string(rules.src(1)));
  rules.require(dst.size() == 4 && dst[0] == src[0] && dst[1] == src[1] && dst[2] >= op.map_h && dst[3] >= op.map_w &&
                    op.map_h >= 1 && op.map_w >= 1,
                "an output that holds the map", to_string(dst));
  for (const WindowAxis* axis : {&op.window.h, &op.window.w})
    (void)rules.window_size(*axis, axis == &op.window.h ? dst[2] : dst[3]);
  return dst;
}

std::vector<Box> reads(const OpRules& rules, const MaxUnpool& op, const Box& dst) {
  const Shape& src = rules.src();
  Box box = whole(src);
  if (op.reach == UnpoolReach::window)
    box = Box{{dst[0], dst[1], windows_over(op.window.h, dst[2], src[2]), windows_over(op.window.w, dst[3], src[3])}};
  return {box, box};
}

ElementType type_of(const OpRules& rules, const MaxUnpool& /*op*/) {
  rules.expect_type(0, ElementType::f32);
  rules.expect_type(1, ElementType::i64);
  return ElementType::f32;
}

// ---- samples ------------------------------------------------------------------------------------------------------

Shape shape_of(const OpRules& rules, const GridSample& /*op*/) {
  rules.expect_inputs(2, 2);
  const Shape& src = map_of(rules);
  const Shape& grid = rules.src(1);
  rules.require(grid.size() == 4 && grid[0] == src[0] && grid[3] == 2, "a grid (n, oh, ow, 2)", to_string(grid));
  return {src[0], src[1], grid[1], grid[2]};
}

std::vector<Box> reads(const OpRules& rules, const GridSample& /*op*/, const Box& dst) {
  const Shape& src = rules.src();
  return {Box{{dst[0], dst[1], {0, src[2]}, {0, src[3]}}}, Box{{dst[0], dst[2], dst[3], {0, 2}}}};
}

ElementType type_of(const OpRules& rules, const GridSample& /*op*/) {
  rules.expect_type(0, ElementType::f32);
  rules.expect_type(1, ElementType::f32);
  return ElementType::f32;
}

// Any axis of the output can be cut, since every rank reads the whole map; the grid's axes stand one further back.
int strip_axis(const OpRules& /*rules*/, const GridSample& /*op*/, const std::vector<int>& axes) {
  if (axes[0] >= 2) return axes[0];
  if (axes[1] == 1 || axes[1] == 2) return axes[1] + 1;
  return axes[0];
}

Shape shape_of(const OpRules& rules, const RoiAlign& op) {
  rules.expect_inputs(3, 3);
  const Shape& src = map_of(rules);
  const Shape& rois = rules.src(1);
  const Shape& dst = rules.op().shape;
  rules.require(rois.size() == 2 && rois[1] == 4 && rules.src(2) == Shape{rois[0]}, "rois (r, 4) and r batch indices",
                to_string(rois) + " and " + to_string(rules.src(2)));
  rules.require(
      dst.size() == 4 && dst[0] == rois[0] && dst[1] == src[1] && op.sampling_ratio >= 0 && op.sampling_ratio <= 4096,
      "an output (r, c, oh, ow)", to_string(dst));
  return dst;
}

std::vector<Box> reads(const OpRules& rules, const RoiAlign& /*op*/, const Box& dst) {
  const Shape& src = rules.src();
  return {Box{{{0, src[0]}, dst[1], {0, src[2]}, {0, src[3]}}}, Box{{dst[0], {0, 4}}}, Box{{dst[0]}}};
}

ElementType type_of(const OpRules& rules, const RoiAlign& /*op*/) {
  rules.expect_type(0, ElementType::f32);
  rules.expect_type(1, ElementType::f32);
  rules.expect_type(2, ElementType::i64);
  return ElementType::f32;
}

// Every rank reads the whole map, so regions are shared out whole where there are several.
int strip_axis(const OpRules& rules, const RoiAlign& /*op*/, const std::vector<int>& axes) {
  return rules.op().shape[0] > 1 ? 0 : axes[0];
}

}  // namespace strake

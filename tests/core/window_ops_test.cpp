// SPDX-License-Identifier: Apache-2.0
// What the operators with windows of their own read, against the cells that their definitions name.

#include <gtest/gtest.h>

#include <functional>

#include "core/interval_map.hpp"
#include "core/random.hpp"
#include "core/shape_inference.hpp"
#include "core/small_graphs.hpp"

namespace strake {
namespace {

using test::add_input;
using test::add_op;
using test::Cell;
using test::cells_of;
using test::pick;
using test::Random;

using Reads = std::function<std::vector<Cell>(const Cell& dst)>;

// The box of the first input is the hull of what all cells of random boxes read.
void expect_hulls(const Graph& graph, OpId id, const Reads& reads, unsigned seed) {
  Random random(seed);
  const Box all = whole(graph.shape(graph.op(id).inputs.front()));
  for (int round = 0; round < 20; ++round) {
    const Box dst = round == 0 ? whole(graph.shape(id)) : test::random_full_box(random, graph.shape(id));
    Box read = nothing(all.rank());
    for (const Cell& cell : cells_of(dst))
      for (const Cell& src : reads(cell)) {
        Box one;
        for (const Index at : src) one.axes.push_back({at, at + 1});
        if (all.contains(one)) read = hull(read, one);
      }
    const Box found = input_boxes(graph, id, dst).front();
    if (read.empty())
      EXPECT_TRUE(found.empty()) << "seed " << seed << ", box " << to_string(dst);
    else
      EXPECT_EQ(found, read) << "seed " << seed << ", box " << to_string(dst);
  }
}

TEST(WindowOps, BlocksReadTheBlocksThatTheyTouch) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    Random random(seed);
    const Index h = pick(random, 1, 3);
    const Index w = pick(random, 1, 3);
    Graph graph;
    const OpId src = add_input(graph, {1, 2 * h * w, pick(random, 1, 5), pick(random, 1, 5)});
    const Shape& map = graph.shape(src);
    const Index begin = pick(random, 0, h - 1);
    const DepthToSpace op{.block_h = h, .block_w = w, .groups = 2, .begin_h = begin, .begin_w = 0};
    const OpId id = add_op(graph, {src}, op, {1, 2, map[2] * h - begin, map[3] * w});
    const Reads reads = [&](const Cell& dst) {
      std::vector<Cell> cells;  // all channels of a group, whichever of its cells is made
      for (Index c = 0; c < h * w; ++c) cells.push_back({dst[0], dst[1] * h * w + c, (dst[2] + begin) / h, dst[3] / w});
      return cells;
    };
    expect_hulls(graph, id, reads, seed);
  }
}

TEST(WindowOps, BorderPadsReadTheCellsThatTheyRepeat) {
  for (const BorderKind kind : {BorderKind::reflect, BorderKind::edge, BorderKind::wrap})
    for (unsigned seed = 0; seed < 20; ++seed) {
      Random random(seed);
      Graph graph;
      const OpId src = add_input(graph, {1, 1, pick(random, 1, 6), pick(random, 1, 6)});
      const Index top = pick(random, 0, 7);
      const OpId id = add_op(graph, {src}, BorderPad{.kind = kind, .begin = {0, 0, top, 0}},
                             {1, 1, graph.shape(src)[2] + top + pick(random, 0, 7), graph.shape(src)[3]});
      expect_hulls(
          graph, id,
          [&](const Cell& dst) {
            return std::vector<Cell>{{0, 0, border_source(kind, dst[2] - top, graph.shape(src)[2]), dst[3]}};
          },
          seed);
    }
}

TEST(WindowOps, BorderSourcesFollowNumpy) {
  const auto list = [](BorderKind kind, Index size) {
    std::vector<Index> sources;
    for (Index place = -4; place < size + 4; ++place) sources.push_back(border_source(kind, place, size));
    return sources;
  };
  EXPECT_EQ(list(BorderKind::reflect, 3), (std::vector<Index>{0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2}));
  EXPECT_EQ(list(BorderKind::edge, 3), (std::vector<Index>{0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2}));
  EXPECT_EQ(list(BorderKind::wrap, 3), (std::vector<Index>{2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0}));
  EXPECT_EQ(list(BorderKind::reflect, 1), std::vector<Index>(9, 0));
}

TEST(WindowOps, SpreadConvolutionsReadNoZeros) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    Random random(seed);
    Graph graph;
    const OpId src = add_input(graph, {1, 1, pick(random, 1, 5), pick(random, 1, 5), 1});
    ConvNd conv{.windows = {}, .spread = {pick(random, 1, 4), pick(random, 1, 3), 1}};
    for (std::size_t i = 0; i < 3; ++i) {
      const Index size = (graph.shape(src)[i + 2] - 1) * conv.spread[i] + 1;
      const Index kernel = i == 2 ? 1 : pick(random, 1, size);
      conv.windows.push_back({.kernel = kernel, .stride = 1, .pad_begin = i == 2 ? 0 : pick(random, -1, kernel - 1)});
      if (output_size(conv.windows.back(), size, Rounding::floor) < 1) conv.windows.back().pad_begin = 0;
    }
    conv.weights =
        graph.add_weight("weights", {1, 1, conv.windows[0].kernel, conv.windows[1].kernel, conv.windows[2].kernel}, {});
    const OpId id = add_op(graph, {src}, conv);
    expect_hulls(
        graph, id,
        [&](const Cell& dst) {
          std::vector<Cell> cells;
          for (Index i = 0; i < conv.windows[0].kernel; ++i)
            for (Index j = 0; j < conv.windows[1].kernel; ++j) {
              const Index y = dst[2] - conv.windows[0].pad_begin + i;
              const Index x = dst[3] - conv.windows[1].pad_begin + j;
              if (y % conv.spread[0] == 0 && x % conv.spread[1] == 0)
                cells.push_back({0, 0, y / conv.spread[0], x / conv.spread[1], 0});
            }
          return cells;
        },
        seed);
  }
}

TEST(WindowOps, UnpoolsReadTheWindowsThatHoldTheirCells) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    Random random(seed);
    Graph graph;
    const OpId src = add_input(graph, {1, 2, pick(random, 5, 9), pick(random, 5, 9)});
    const WindowAxis axis{.kernel = pick(random, 1, 4), .stride = pick(random, 1, 3), .pad_begin = pick(random, 0, 1)};
    const OpId indices = add_op(graph, {src}, PoolIndices{.window = test::square(axis)});
    const OpId pooled = add_op(graph, {src}, Pool{.kind = PoolKind::max, .window = test::square(axis)});
    const OpId id = add_op(graph, {pooled, indices},
                           MaxUnpool{.reach = UnpoolReach::window,
                                     .window = test::square(axis),
                                     .map_h = graph.shape(src)[2],
                                     .map_w = graph.shape(src)[3]},
                           graph.shape(src));
    const auto covers = [&](Index at, Index cell) {
      return cell >= at * axis.stride - axis.pad_begin && cell < at * axis.stride - axis.pad_begin + axis.kernel;
    };
    expect_hulls(
        graph, id,
        [&](const Cell& dst) {
          std::vector<Cell> cells;
          for (Index y = 0; y < graph.shape(pooled)[2]; ++y)
            for (Index x = 0; x < graph.shape(pooled)[3]; ++x)
              if (covers(y, dst[2]) && covers(x, dst[3])) cells.push_back({dst[0], dst[1], y, x});
          return cells;
        },
        seed);
  }
}

// ---- resizing -----------------------------------------------------------------------------------------------------

Resize plain_resize(ResizeKind kind, ResizePlace place, const Shape& src, const Shape& dst) {
  Resize op;
  op.kind = kind;
  op.place = place;
  for (std::size_t axis = 0; axis < src.size(); ++axis) {
    op.scale.push_back(static_cast<double>(dst[axis]) / static_cast<double>(src[axis]));
    op.length.push_back(static_cast<double>(dst[axis]));
    op.roi_begin.push_back(0);
    op.roi_end.push_back(1);
  }
  return op;
}

TEST(ResizeTaps, OfTwiceTheSizeAreQuarters) {
  const Resize op = plain_resize(ResizeKind::linear, ResizePlace::half_pixel, {4}, {8});
  EXPECT_EQ(resize_taps(op, 0, 4, 8, 0).weights, (std::vector<float>{1.0F}));
  EXPECT_EQ(resize_taps(op, 0, 4, 8, 1).first, 0);
  EXPECT_EQ(resize_taps(op, 0, 4, 8, 1).weights, (std::vector<float>{0.75F, 0.25F}));
  EXPECT_EQ(resize_taps(op, 0, 4, 8, 2).weights, (std::vector<float>{0.25F, 0.75F}));
  EXPECT_EQ(resize_taps(op, 0, 4, 8, 7).first, 3);
}

TEST(ResizeTaps, OfNearestNeighboursRoundAsTheyAreTold) {
  Resize op = plain_resize(ResizeKind::nearest, ResizePlace::asymmetric, {4}, {8});
  const auto sources = [&](NearestKind rule) {
    op.nearest = rule;
    std::vector<Index> list;
    for (Index at = 0; at < 8; ++at) list.push_back(resize_taps(op, 0, 4, 8, at).first);
    return list;
  };
  EXPECT_EQ(sources(NearestKind::floor), (std::vector<Index>{0, 0, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(sources(NearestKind::simple), (std::vector<Index>{0, 0, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(sources(NearestKind::ceil), (std::vector<Index>{0, 1, 1, 2, 2, 3, 3, 3}));
  EXPECT_EQ(sources(NearestKind::round_prefer_floor), (std::vector<Index>{0, 0, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(sources(NearestKind::round_prefer_ceil), (std::vector<Index>{0, 1, 1, 2, 2, 3, 3, 3}));
}

TEST(ResizeTaps, AddUpToOne) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const Index src = pick(random, 1, 12);
    const Index dst = pick(random, 1, 12);
    Resize op = plain_resize(static_cast<ResizeKind>(pick(random, 0, 2)), static_cast<ResizePlace>(pick(random, 0, 5)),
                             {src}, {dst});
    op.border = static_cast<ResizeBorder>(pick(random, 0, 1));
    op.antialias = static_cast<Antialias>(pick(random, 0, 1));
    for (Index at = 0; at < dst; ++at) {
      const ResizeTaps taps = resize_taps(op, 0, src, dst, at);
      EXPECT_GE(taps.first, 0);
      EXPECT_LE(taps.first + static_cast<Index>(taps.weights.size()), src);
      float sum = 0;
      for (const float weight : taps.weights) sum += weight;
      // A dozen weights, each rounded to float.
      EXPECT_NEAR(sum, 1, 2e-6) << "seed " << seed << ", cell " << at;
    }
  }
}

TEST(WindowOps, ResizesReadTheCellsThatTheyMix) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    Random random(seed);
    Graph graph;
    const Shape from = {1, 1, pick(random, 1, 9), pick(random, 1, 9)};
    const Shape to = {1, 1, pick(random, 1, 12), pick(random, 1, 12)};
    const OpId src = add_input(graph, from);
    Resize op = plain_resize(static_cast<ResizeKind>(pick(random, 0, 2)), static_cast<ResizePlace>(pick(random, 0, 6)),
                             from, to);
    op.antialias = static_cast<Antialias>(pick(random, 0, 1));
    op.roi_begin[2] = 0.25;
    const OpId id = add_op(graph, {src}, op, to);
    expect_hulls(
        graph, id,
        [&](const Cell& dst) {
          std::vector<Cell> cells;
          const ResizeTaps rows = resize_taps(op, 2, from[2], to[2], dst[2]);
          const ResizeTaps columns = resize_taps(op, 3, from[3], to[3], dst[3]);
          for (std::size_t i = 0; i < rows.weights.size(); ++i)
            for (std::size_t j = 0; j < columns.weights.size(); ++j)
              cells.push_back({0, 0, rows.first + static_cast<Index>(i), columns.first + static_cast<Index>(j)});
          return cells;
        },
        seed);
  }
}

TEST(WindowOps, RefuseWhatDoesNotFit) {
  Graph graph;
  const OpId map = add_input(graph, {1, 6, 4, 4});
  const OpId line = add_input(graph, {1, 6, 4});
  EXPECT_THROW(add_op(graph, {map}, DepthToSpace{.block_h = 2, .block_w = 2}), InvalidInput);
  EXPECT_THROW(add_op(graph, {line}, DepthToSpace{.block_h = 1, .block_w = 2}), InvalidInput);
  EXPECT_THROW(add_op(graph, {map}, DepthToSpace{.block_h = 2, .block_w = 3}, {1, 1, 9, 12}), InvalidInput);
  EXPECT_THROW(add_op(graph, {map}, SpaceToDepth{.block_h = 3, .block_w = 1}), InvalidInput);
  EXPECT_THROW(add_op(graph, {map}, BorderPad{.begin = {0, 0, 1}}, {1, 6, 5, 4}), InvalidInput);
  EXPECT_THROW(add_op(graph, {map}, PoolNd{.windows = {{.kernel = 2}}}), InvalidInput);
  EXPECT_THROW(add_op(graph, {map}, Resize{}, {1, 6, 8, 8}), InvalidInput);
  EXPECT_THROW(add_op(graph, {map, map}, GridSample{}), InvalidInput);
  EXPECT_THROW(add_op(graph, {map, map}, MaxUnpool{.window = {}, .map_h = 8, .map_w = 8}, {1, 6, 8, 8}), InvalidInput);
}

}  // namespace
}  // namespace strake

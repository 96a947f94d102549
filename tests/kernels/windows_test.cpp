// SPDX-License-Identifier: Apache-2.0
// The operators of core/ops/window_ops.hpp and core/ops/resize.hpp, whole and on random slabs, against the reference.

#include <gtest/gtest.h>

#include "kernels/operator_checks.hpp"

namespace strake::kernels {
namespace {

using namespace test;

// As check_unary, of elements of any type.
void check_typed(Random& random, const Shape& shape, const Attributes& attributes,
                 const std::vector<std::size_t>& cut_axes, Shape dst, ElementType type) {
  Graph graph;
  const OpId src = add_input(graph, shape, type);
  add_op(graph, {src}, attributes, std::move(dst));
  Values values = random_values(random, shape, -4, 4);
  if (type != ElementType::f32)
    for (float& value : values) value = std::floor(value * 10 + 45);
  check_operator(graph, {values}, random, cut_axes);
}

const std::vector<std::size_t> any_axis = {0, 1, 2, 3};

TEST(Blocks, AgreeWithTheReferenceInEveryOrder) {
  Random random(21);
  for (int round = 0; round < 30; ++round) {
    const Index h = pick(random, 1, 4);
    const Index w = pick(random, 1, 4);
    const Index groups = pick(random, 1, 3);
    const Index c = pick(random, 1, 11);
    const Shape coarse = {pick(random, 1, 2), groups * h * w * c, pick(random, 1, 9), pick(random, 1, 9)};
    const Index begin_h = pick(random, 0, h - 1);
    const Index begin_w = pick(random, 0, w - 1);
    const Shape fine = {coarse[0], groups * c, coarse[2] * h - begin_h - pick(random, 0, h - begin_h - 1),
                        coarse[3] * w - begin_w - pick(random, 0, w - begin_w - 1)};
    const DepthToSpace blocks{.block_h = h, .block_w = w, .groups = groups, .begin_h = begin_h, .begin_w = begin_w};
    check_unary(random, coarse, blocks, any_axis, fine);
    const Shape all = {coarse[0], groups * c, coarse[2] * h, coarse[3] * w};
    check_unary(random, all, SpaceToDepth{.block_h = h, .block_w = w, .groups = groups}, any_axis);
    check_typed(random, all, SpaceToDepth{.block_h = h, .block_w = w, .groups = 1}, any_axis, {}, ElementType::u8);
  }
}

TEST(BorderPads, AgreeWithTheReferenceOnMapsAndOtherTensors) {
  Random random(22);
  for (const BorderKind kind : {BorderKind::reflect, BorderKind::edge, BorderKind::wrap}) {
    for (int round = 0; round < 20; ++round) {
      Shape shape = {pick(random, 1, 2), pick(random, 1, 9), pick(random, 1, 7), pick(random, 1, 7)};
      if (round % 4 == 0) shape.pop_back();
      BorderPad pad{.kind = kind, .begin = {}};
      Shape dst;
      std::vector<std::size_t> axes;
      for (const Index size : shape) {
        pad.begin.push_back(pick(random, -size + 1, 9));
        dst.push_back(size + std::max<Index>(pad.begin.back(), 0) + pick(random, 0, 9));
        axes.push_back(axes.size());
      }
      check_typed(random, shape, pad, axes, dst, round % 3 == 0 ? ElementType::i64 : ElementType::f32);
    }
  }
}

Resize random_resize(Random& random, const Shape& src, Shape& dst, bool any_axis_changes) {
  Resize op;
  op.kind = static_cast<ResizeKind>(pick(random, 0, 2));
  op.place = static_cast<ResizePlace>(pick(random, 0, 6));
  op.nearest = static_cast<NearestKind>(pick(random, 0, 4));
  op.border = static_cast<ResizeBorder>(pick(random, 0, 1));
  op.antialias = static_cast<Antialias>(pick(random, 0, 1));
  op.cubic = pick(random, 0, 1) == 0 ? -0.75F : -0.5F;
  op.extrapolation = 7;
  dst = src;
  for (std::size_t axis = 0; axis < src.size(); ++axis) {
    const bool changes = any_axis_changes ? pick(random, 0, 1) == 0 : axis >= 2 && pick(random, 0, 4) != 0;
    if (changes) dst[axis] = pick(random, 1, 17);
    op.scale.push_back(static_cast<double>(dst[axis]) / static_cast<double>(src[axis]));
    op.length.push_back(static_cast<double>(dst[axis]));
    const bool crops = changes && op.place == ResizePlace::tf_crop_and_resize;
    op.roi_begin.push_back(crops ? static_cast<double>(pick(random, -2, 4)) / 8 : 0);
    op.roi_end.push_back(crops ? static_cast<double>(pick(random, 4, 10)) / 8 : 1);
  }
  return op;
}

TEST(Resizes, AgreeWithTheReferenceInEveryMode) {
  Random random(23);
  for (int round = 0; round < 250; ++round) {
    SCOPED_TRACE("seed 23, round " + std::to_string(round));
    const Shape src = {pick(random, 1, 2), pick(random, 1, 20), pick(random, 1, 13), pick(random, 1, 13)};
    Shape dst;
    const Resize op = random_resize(random, src, dst, round % 5 == 0);
    check_unary(random, src, op, any_axis, dst);
  }
}

TEST(Resizes, AgreeWithTheReferenceOnTensorsThatAreNoMaps) {
  Random random(24);
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE("seed 24, round " + std::to_string(round));
    Shape src = {pick(random, 1, 3), pick(random, 1, 7), pick(random, 1, 7)};
    if (round % 2 == 0) src.insert(src.end(), {pick(random, 1, 5), pick(random, 1, 5)});
    Shape dst;
    const Resize op = random_resize(random, src, dst, true);
    check_unary(random, src, op, {0, 1, 2}, dst);
  }
}

TEST(Resizes, OfBytesTakeTheNearest) {
  Random random(25);
  const Shape src = {1, 3, 5, 6};
  Shape dst;
  Resize op = random_resize(random, src, dst, false);
  op.kind = ResizeKind::nearest;
  op.place = ResizePlace::asymmetric;
  check_typed(random, src, op, any_axis, dst, ElementType::u8);
}

WindowAxis random_window(Random& random, Index size) {
  WindowAxis axis{.kernel = pick(random, 1, 4), .stride = pick(random, 1, 3), .dilation = pick(random, 1, 2)};
  axis.pad_begin = pick(random, 0, axis.kernel - 1);
  axis.pad_end = pick(random, 0, axis.kernel - 1);
  return output_size(axis, size, Rounding::floor) < 1 ? WindowAxis{} : axis;
}

TEST(Pools, SumAndTakeBytes) {
  Random random(26);
  for (int round = 0; round < 20; ++round) {
    const Shape src = {1, pick(random, 1, 19), pick(random, 1, 9), pick(random, 1, 9)};
    const Window2d window{.h = random_window(random, src[2]), .w = random_window(random, src[3])};
    check_unary(random, src, Pool{.kind = PoolKind::sum, .window = window}, any_axis);
    check_typed(random, src, Pool{.kind = PoolKind::max, .window = window}, any_axis, {}, ElementType::u8);
    check_typed(random, src, Pool{.kind = PoolKind::max, .window = window}, any_axis, {}, ElementType::i8);
  }
}

TEST(Pools, OfVolumesAgreeWithTheReference) {
  Random random(27);
  for (const PoolNdKind kind :
       {PoolNdKind::max, PoolNdKind::sum, PoolNdKind::average_of_input, PoolNdKind::average_of_padded}) {
    for (int round = 0; round < 8; ++round) {
      const Shape src = {pick(random, 1, 2), pick(random, 1, 3), pick(random, 1, 6), pick(random, 1, 6),
                         pick(random, 1, 6)};
      PoolNd pool{.kind = kind, .windows = {}};
      for (std::size_t axis = 2; axis < 5; ++axis) pool.windows.push_back(random_window(random, src[axis]));
      check_unary(random, src, pool, {0, 1, 2, 3, 4});
    }
  }
}

TEST(Convolutions, OfVolumesAgreeWithTheReference) {
  Random random(28);
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE("seed 28, round " + std::to_string(round));
    const Index groups = pick(random, 1, 2);
    const Shape src = {pick(random, 1, 2), groups * pick(random, 1, 3), pick(random, 1, 5), pick(random, 1, 5),
                       pick(random, 1, 5)};
    Graph graph;
    const OpId input = add_input(graph, src);
    ConvNd conv{.windows = {}, .spread = {}, .groups = groups};
    Shape weights = {groups * pick(random, 1, 3), src[1] / groups};
    for (std::size_t axis = 2; axis < 5; ++axis) {
      conv.spread.push_back(pick(random, 1, 3));
      conv.windows.push_back(random_window(random, (src[axis] - 1) * conv.spread.back() + 1));
      weights.push_back(conv.windows.back().kernel);
    }
    conv.weights = add_random_weight(graph, random, weights);
    if (round % 2 == 0) conv.bias = add_random_weight(graph, random, {weights[0]});
    add_op(graph, {input}, conv);
    check_operator(graph, {random_values(random, src)}, random, {0, 2, 3, 4});
  }
}

TEST(PoolIndices, AreThoseOfTheFirstLargest) {
  Random random(29);
  for (int round = 0; round < 20; ++round) {
    const Shape src = {pick(random, 1, 2), pick(random, 1, 9), pick(random, 1, 9), pick(random, 1, 9)};
    const Window2d window{.h = random_window(random, src[2]), .w = random_window(random, src[3])};
    for (const StorageOrder order : {StorageOrder::rows_first, StorageOrder::columns_first})
      check_unary(random, src, PoolIndices{.window = window, .order = order}, any_axis);
  }
}

TEST(MaxUnpools, PutValuesBackWhereTheyWere) {
  Random random(30);
  for (int round = 0; round < 20; ++round) {
    const Shape src = {pick(random, 1, 2), pick(random, 1, 5), pick(random, 1, 9), pick(random, 1, 9)};
    const Window2d window{.h = random_window(random, src[2]), .w = random_window(random, src[3])};
    Graph graph;
    const OpId input = add_input(graph, src);
    const OpId pooled = add_op(graph, {input}, Pool{.kind = PoolKind::max, .window = window});
    const OpId indices = add_op(graph, {input}, PoolIndices{.window = window});
    MaxUnpool unpool{.reach = round % 2 == 0 ? UnpoolReach::window : UnpoolReach::anywhere,
                     .window = window,
                     .map_h = src[2],
                     .map_w = src[3]};
    Shape dst = src;
    if (round % 3 == 0) dst[3] += 2;
    add_op(graph, {pooled, indices}, unpool, dst);
    check_operator(graph, {random_values(random, src)}, random, any_axis);
  }
}

TEST(GridSamples, AgreeWithTheReferenceInEveryMode) {
  Random random(31);
  for (const SampleKind kind : {SampleKind::nearest, SampleKind::linear, SampleKind::cubic})
    for (const SampleBorder border : {SampleBorder::zeros, SampleBorder::edge, SampleBorder::reflect})
      for (const Corners corners : {Corners::centres, Corners::edges}) {
        Graph graph;
        const Shape src = {pick(random, 1, 2), pick(random, 1, 17), pick(random, 1, 7), pick(random, 1, 7)};
        const Shape places = {src[0], pick(random, 1, 7), pick(random, 1, 7), 2};
        const OpId input = add_input(graph, src);
        const OpId grid = add_input(graph, places);
        add_op(graph, {input, grid}, GridSample{.kind = kind, .border = border, .corners = corners});
        check_operator(graph, {random_values(random, src), random_values(random, places, -1.7F, 1.7F)}, random,
                       any_axis);
      }
}

TEST(RoiAligns, AgreeWithTheReferenceInEveryMode) {
  Random random(32);
  for (int round = 0; round < 24; ++round) {
    Graph graph;
    const Shape src = {pick(random, 1, 2), pick(random, 1, 17), pick(random, 2, 9), pick(random, 2, 9)};
    const Index n = pick(random, 1, 4);
    const OpId input = add_input(graph, src);
    const OpId rois = add_input(graph, {n, 4});
    const OpId batches = add_input(graph, {n}, ElementType::i64);
    const RoiAlign op{.kind = round % 2 == 0 ? RoiKind::average : RoiKind::max,
                      .sampling_ratio = pick(random, 0, 2),
                      .spatial_scale = 0.5F,
                      .offset = round % 3 == 0 ? 0.0F : 0.5F};
    add_op(graph, {input, rois, batches}, op, {n, src[1], pick(random, 1, 4), pick(random, 1, 4)});
    Values corners;
    Values numbers;
    for (Index i = 0; i < n; ++i) {
      const Values begin = random_values(random, {2}, -2, 8);
      const Values size = random_values(random, {2}, 1, 12);
      corners.insert(corners.end(), {begin[0], begin[1], begin[0] + size[0], begin[1] + size[1]});
      numbers.push_back(static_cast<float>(pick(random, 0, src[0] - 1)));
    }
    check_operator(graph, {random_values(random, src), corners, numbers}, random, any_axis);
  }
}

}  // namespace
}  // namespace strake::kernels

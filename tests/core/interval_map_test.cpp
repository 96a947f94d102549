// SPDX-License-Identifier: Apache-2.0
#include "core/interval_map.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "core/random.hpp"
#include "core/small_graphs.hpp"

namespace strake {
namespace {

using test::add_constant;
using test::add_conv;
using test::add_input;
using test::add_op;
using test::Cell;
using test::cells_of;
using test::pick;
using test::Random;

/// The cells of input number `input` that one cell of the output is computed from; cells outside the input are padding.
using Reads = std::function<std::vector<Cell>(const Cell& dst, std::size_t input)>;

Box box_of(const Cell& cell) {
  Box box;
  for (const Index at : cell) box.axes.push_back({at, at + 1});
  return box;
}

// Compares `input_boxes` with the hull of what all cells of random boxes read, clipped to the input.
void expect_hulls(const Graph& graph, OpId id, const Reads& reads, unsigned seed) {
  Random random(seed);
  const std::vector<OpId>& inputs = graph.op(id).inputs;
  for (int round = 0; round < 20; ++round) {
    const Box dst = round == 0 ? whole(graph.shape(id)) : test::random_full_box(random, graph.shape(id));
    const std::vector<Box> boxes = input_boxes(graph, id, dst);
    ASSERT_EQ(boxes.size(), inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Box all = whole(graph.shape(inputs[i]));
      Box read = nothing(all.rank());
      for (const Cell& cell : cells_of(dst))
        for (const Cell& src : reads(cell, i)) read = hull(read, box_of(src));
      EXPECT_EQ(intersect(boxes[i], all), intersect(read, all))
          << "seed " << seed << ", box " << to_string(dst) << ", input " << i;
    }
  }
  for (const Box& box : input_boxes(graph, id, nothing(graph.shape(id).size()))) EXPECT_TRUE(box.empty());
}

std::vector<Cell> same_cell(const Cell& dst, std::size_t /*input*/) { return {dst}; }

// From the first to the last row of a window: what dilation jumps over is held all the same.
std::vector<Index> rows_of(const WindowAxis& window, Index dst) {
  std::vector<Index> rows;
  const Index first = dst * window.stride - window.pad_begin;
  for (Index row = first; row <= first + (window.kernel - 1) * window.dilation; ++row) rows.push_back(row);
  return rows;
}

WindowAxis random_window(Random& random) {
  return {.kernel = pick(random, 1, 4),
          .stride = pick(random, 1, 3),
          .dilation = pick(random, 1, 2),
          .pad_begin = pick(random, 0, 3),
          .pad_end = pick(random, 0, 3)};
}

TEST(InputBoxes, OfConvolutionsAreWindowsAndGroups) {
  Random random(10);
  for (unsigned round = 0; round < 40; ++round) {
    const Window2d window{.h = random_window(random), .w = random_window(random)};
    const Index groups = pick(random, 1, 3);
    const Index src_channels = pick(random, 1, 2);
    const Index dst_channels = pick(random, 1, 2);
    Graph graph;
    const OpId src = add_input(graph, {2, groups * src_channels, pick(random, 7, 9), pick(random, 7, 9)});
    const OpId conv = add_conv(graph, src, groups * dst_channels, window, groups);
    const OpId residual = add_input(graph, graph.shape(conv));
    const OpId sum = add_op(graph, {src, residual}, [&] {
      Conv with_residual = *as<Conv>(graph.op(conv));
      with_residual.post_ops = {AddInput{}};
      return with_residual;
    }());
    const Reads reads = [&](const Cell& dst, std::size_t input) {
      if (input == 1) return std::vector<Cell>{dst};
      std::vector<Cell> cells;
      const Index group = dst[1] / dst_channels;
      for (Index c = group * src_channels; c < (group + 1) * src_channels; ++c)
        for (const Index h : rows_of(window.h, dst[2]))
          for (const Index w : rows_of(window.w, dst[3])) cells.push_back({dst[0], c, h, w});
      return cells;
    };
    expect_hulls(graph, conv, reads, round);
    expect_hulls(graph, sum, reads, round);
  }
}

TEST(InputBoxes, OfPoolsKeepTheirChannels) {
  Random random(11);
  for (unsigned round = 0; round < 40; ++round) {
    const Window2d window{.h = random_window(random), .w = random_window(random)};
    Graph graph;
    const OpId src = add_input(graph, {1, 3, pick(random, 7, 9), pick(random, 7, 9)});
    const OpId pool = add_op(graph, {src}, Pool{.kind = PoolKind::average, .window = window});
    expect_hulls(
        graph, pool,
        [&](const Cell& dst, std::size_t) {
          std::vector<Cell> cells;
          for (const Index h : rows_of(window.h, dst[2]))
            for (const Index w : rows_of(window.w, dst[3])) cells.push_back({dst[0], dst[1], h, w});
          return cells;
        },
        round);
  }
}

TEST(InputBoxes, OfElementwiseOperatorsAreTheSame) {
  Graph graph;
  const OpId src = add_input(graph, {2, 3, 4, 5});
  const std::vector<float> three(3);
  expect_hulls(graph, add_op(graph, {src}, Elementwise{}), same_cell, 12);
  expect_hulls(graph, add_op(graph, {src}, ScaleShift{}), same_cell, 13);
  expect_hulls(graph, add_op(graph, {src}, NormalizePicture{.scale = three, .shift = three}), same_cell, 14);
}

TEST(InputBoxes, OfBroadcastOperandsIgnoreTheAxesTheyLack) {
  Graph graph;
  const OpId map = add_input(graph, {2, 3, 4, 5});
  const OpId gate = add_input(graph, {2, 3, 1, 1});
  const OpId line = add_input(graph, {4, 1});
  const OpId scalar = add_constant(graph, {});
  const auto reads = [](const Cell& dst, std::size_t input) -> std::vector<Cell> {
    return input == 0 ? std::vector<Cell>{dst} : std::vector<Cell>{{dst[0], dst[1], 0, 0}};
  };
  expect_hulls(graph, add_op(graph, {map, gate}, Binary{}), reads, 15);
  expect_hulls(
      graph, add_op(graph, {line, map}, Binary{}),
      [](const Cell& dst, std::size_t input) {
        return std::vector<Cell>{input == 1 ? dst : Cell{dst[2], 0}};
      },
      16);
  expect_hulls(
      graph, add_op(graph, {map, scalar}, Binary{}),
      [](const Cell& dst, std::size_t input) { return std::vector<Cell>{input == 0 ? dst : Cell{}}; }, 17);
  expect_hulls(
      graph, add_op(graph, {gate, line}, Binary{}),
      [](const Cell& dst, std::size_t input) {
        return std::vector<Cell>{input == 0 ? Cell{dst[0], dst[1], 0, 0} : Cell{dst[2], 0}};
      },
      18);
}

TEST(InputBoxes, OfSumsAreWholeLines) {
  Graph graph;
  const OpId map = add_input(graph, {2, 3, 4, 5});
  const OpId rows = add_op(graph, {map}, ReduceRows{});
  expect_hulls(
      graph, rows,
      [](const Cell& dst, std::size_t) {
        std::vector<Cell> cells;
        for (Index w = 0; w < 5; ++w) cells.push_back({dst[0], dst[1], dst[2], w});
        return cells;
      },
      19);
  expect_hulls(
      graph, add_op(graph, {rows}, ReduceParts{}),
      [](const Cell& dst, std::size_t) {
        std::vector<Cell> cells;
        for (Index part = 0; part < 4; ++part) cells.push_back({dst[0], dst[1], part, 0});
        return cells;
      },
      20);
  expect_hulls(
      graph, add_op(graph, {map}, Reduce{.axes = {1, 3}}),
      [](const Cell& dst, std::size_t) {
        std::vector<Cell> cells;
        for (Index c = 0; c < 3; ++c)
          for (Index w = 0; w < 5; ++w) cells.push_back({dst[0], c, dst[2], w});
        return cells;
      },
      21);
  expect_hulls(
      graph, add_op(graph, {map}, Softmax{.axis = 1}),
      [](const Cell& dst, std::size_t) {
        std::vector<Cell> cells;
        for (Index c = 0; c < 3; ++c) cells.push_back({dst[0], c, dst[2], dst[3]});
        return cells;
      },
      22);
}

TEST(InputBoxes, OfWhatGoesAlongAnAxisAreWholeLines) {
  Graph graph;
  const OpId map = add_input(graph, {2, 3, 4, 5});
  for (const int axis : {0, 1, 2, 3}) {
    const auto place = static_cast<std::size_t>(axis);
    const auto line = [&](const Cell& dst, std::size_t) {
      std::vector<Cell> cells;
      for (Index i = 0; i < graph.shape(map)[place]; ++i) {
        cells.push_back(dst);
        cells.back()[place] = i;
      }
      return cells;
    };
    expect_hulls(graph, add_op(graph, {map}, ArgReduce{.axis = axis}), line, 40);
    expect_hulls(graph, add_op(graph, {map}, CumSum{.axis = axis}), line, 41);
    expect_hulls(graph, add_op(graph, {map}, Softmax{.axis = axis, .kind = SoftmaxKind::hardmax}), line, 42);
  }
}

TEST(InputBoxes, OfACentreAreThoseOfTheResult) {
  Graph graph;
  const OpId map = add_input(graph, {2, 3, 4, 5});
  const OpId centre = add_input(graph, {3, 1, 1});
  expect_hulls(
      graph, add_op(graph, {map, centre}, Reduce{.kind = GenericReduceKind::mean_square, .axes = {0, 3}}),
      [](const Cell& dst, std::size_t input) {
        if (input == 1) return std::vector<Cell>{{dst[1], 0, 0}};
        std::vector<Cell> cells;
        for (Index n = 0; n < 2; ++n)
          for (Index w = 0; w < 5; ++w) cells.push_back({n, dst[1], dst[2], w});
        return cells;
      },
      43);
}

TEST(InputBoxes, OfNormalisationsFollowTheirOperands) {
  Graph graph;
  const OpId map = add_input(graph, {2, 3, 4, 5});
  const OpId mean = add_input(graph, {2, 1, 1, 1});
  const OpId variance = add_input(graph, {1, 3, 4, 1});
  const OpId scale = add_input(graph, {3, 1, 1});
  const OpId normalize = add_op(graph, {map, mean, variance, scale, scale}, Normalize{});
  expect_hulls(
      graph, normalize,
      [](const Cell& dst, std::size_t input) -> std::vector<Cell> {
        if (input == 0) return {dst};
        if (input == 1) return {{dst[0], 0, 0, 0}};
        if (input == 2) return {{0, dst[1], dst[2], 0}};
        return {{dst[1], 0, 0}};
      },
      44);
}

TEST(InputBoxes, OfLrnReachAcrossChannels) {
  for (const Index size : {1, 2, 3, 4, 5}) {
    Graph graph;
    const OpId lrn = add_op(graph, {add_input(graph, {1, 7, 2, 2})}, Lrn{.size = size});
    expect_hulls(
        graph, lrn,
        [size](const Cell& dst, std::size_t) {
          // ONNX: from c - floor((size - 1) / 2) to c + ceil((size - 1) / 2).
          std::vector<Cell> cells;
          for (Index i = 0; i < size; ++i) cells.push_back({dst[0], dst[1] - (size - 1) / 2 + i, dst[2], dst[3]});
          return cells;
        },
        23);
  }
}

TEST(InputBoxes, OfConcatAreTheStretchesThatAreHit) {
  Graph graph;
  const OpId a = add_input(graph, {1, 2, 3});
  const OpId b = add_input(graph, {1, 4, 3});
  const OpId concat = add_op(graph, {a, b, a}, Concat{.axis = 1});
  const Index begins[] = {0, 2, 6};
  expect_hulls(
      graph, concat,
      [&](const Cell& dst, std::size_t input) {
        return std::vector<Cell>{{dst[0], dst[1] - begins[input], dst[2]}};
      },
      24);
  const std::vector<Box> boxes = input_boxes(graph, concat, with_axis(whole({1, 8, 3}), 1, {2, 5}));
  EXPECT_TRUE(boxes[0].empty());
  EXPECT_EQ(boxes[1], with_axis(whole({1, 4, 3}), 1, {0, 3}));
}

TEST(InputBoxes, OfReshapesFollowTheAxesThatAreKept) {
  const auto boxes = [](const Shape& src, const Shape& dst, const Box& box) {
    Graph graph;
    const OpId reshape = add_op(graph, {add_input(graph, src)}, Reshape{}, dst);
    EXPECT_TRUE(input_boxes(graph, reshape, nothing(dst.size()))[0].empty());
    return input_boxes(graph, reshape, box).front();
  };
  // Axes of size 1 come and go, channels are put in groups and taken out of them.
  EXPECT_EQ(boxes({1, 6, 5}, {6, 1, 5, 1}, {{{2, 4}, {0, 1}, {1, 3}, {0, 1}}}), (Box{{{0, 1}, {2, 4}, {1, 3}}}));
  EXPECT_EQ(boxes({1, 6, 5, 7}, {1, 2, 3, 5, 7}, {{{0, 1}, {1, 2}, {0, 2}, {1, 3}, {4, 7}}}),
            (Box{{{0, 1}, {3, 5}, {1, 3}, {4, 7}}}));
  EXPECT_EQ(boxes({1, 2, 3, 5, 7}, {1, 6, 5, 7}, {{{0, 1}, {3, 5}, {1, 3}, {4, 7}}}),
            (Box{{{0, 1}, {1, 2}, {0, 2}, {1, 3}, {4, 7}}}));
  // A run over the end of a row needs both rows; one across channels, all columns.
  EXPECT_EQ(boxes({3, 4}, {12}, {{{3, 6}}}), (Box{{{0, 2}, {0, 4}}}));
  EXPECT_EQ(boxes({3, 4}, {12}, {{{5, 7}}}), (Box{{{1, 2}, {1, 3}}}));
  EXPECT_EQ(boxes({2, 6}, {3, 4}, {{{1, 2}, {3, 4}}}), (Box{{{1, 2}, {1, 2}}}));
}

// Whatever is asked of a reshape, the cells are there.
TEST(InputBoxes, OfReshapesHoldWhatTheyRead) {
  Random random(30);
  const std::vector<std::pair<Shape, Shape>> shapes = {{{2, 6, 4}, {4, 3, 4}},     {{4, 6}, {3, 8}},
                                                       {{1, 12, 5}, {3, 4, 5, 1}}, {{3, 4, 5}, {60}},
                                                       {{60}, {3, 1, 4, 5}},       {{2, 3, 4}, {6, 2, 2}}};
  for (const auto& [src, dst] : shapes) {
    Graph graph;
    const OpId reshape = add_op(graph, {add_input(graph, src)}, Reshape{}, dst);
    const std::vector<Cell> from = cells_of(whole(src));
    const std::vector<Cell> to = cells_of(whole(dst));
    for (int round = 0; round < 20; ++round) {
      const Box box = test::random_full_box(random, dst);
      const Box read = input_boxes(graph, reshape, box).front();
      for (std::size_t i = 0; i < to.size(); ++i) {
        if (!box.contains(box_of(to[i]))) continue;
        EXPECT_TRUE(read.contains(box_of(from[i]))) << to_string(src) << " to " << to_string(box);
      }
    }
  }
}

TEST(InputBoxes, OfPointwiseOperatorsBroadcastEachOperand) {
  Graph graph;
  const OpId condition = add_input(graph, {4, 1}, ElementType::boolean);
  const OpId map = add_input(graph, {2, 3, 4, 5});
  const OpId scalar = add_input(graph, {});
  expect_hulls(
      graph, add_op(graph, {condition, map, scalar}, Pointwise{.kind = PointwiseKind::where}),
      [](const Cell& dst, std::size_t input) -> std::vector<Cell> {
        if (input == 0) return {{dst[2], 0}};
        return {input == 1 ? dst : Cell{}};
      },
      31);
  expect_hulls(
      graph, add_op(graph, {condition}, Expand{}, {3, 4, 6}),
      [](const Cell& dst, std::size_t) {
        return std::vector<Cell>{{dst[1], 0}};
      },
      32);
  expect_hulls(graph, add_op(graph, {map}, Trilu{.part = Triangle::lower, .diagonal = 1}), same_cell, 33);
}

TEST(InputBoxes, OfTilesWrapAround) {
  Graph graph;
  const OpId tile = add_op(graph, {add_input(graph, {3, 5})}, Tile{.repeats = {4, 2}});
  // Inside one copy it is those cells; a stretch over the end of a copy has both ends and so everything between them.
  Random random(34);
  for (int round = 0; round < 40; ++round) {
    const Box dst = test::random_full_box(random, graph.shape(tile));
    const Box read = input_boxes(graph, tile, dst).front();
    for (std::size_t axis = 0; axis < 2; ++axis) {
      const Index size = axis == 0 ? 3 : 5;
      const bool one_copy = dst[axis].begin / size == (dst[axis].end - 1) / size;
      const Interval expected =
          one_copy ? Interval{dst[axis].begin % size, (dst[axis].end - 1) % size + 1} : Interval{0, size};
      EXPECT_EQ(read[axis], expected) << to_string(dst);
    }
  }
}

TEST(InputBoxes, OfMovedCellsFollowThem) {
  Graph graph;
  const OpId src = add_input(graph, {4, 9, 3});
  expect_hulls(
      graph, add_op(graph, {src}, Transpose{.axes = {2, 0, 1}}),
      [](const Cell& dst, std::size_t) {
        return std::vector<Cell>{{dst[1], dst[2], dst[0]}};
      },
      25);
  expect_hulls(
      graph, add_op(graph, {src}, Slice{.begin = {3, 1, 0}, .step = {-1, 3, 1}}, {4, 3, 2}),
      [](const Cell& dst, std::size_t) {
        return std::vector<Cell>{{3 - dst[0], 1 + 3 * dst[1], dst[2]}};
      },
      26);
  expect_hulls(
      graph, add_op(graph, {src}, Pad{.begin = {2, 0, 1}}, {7, 12, 4}),
      [](const Cell& dst, std::size_t) {
        return std::vector<Cell>{{dst[0] - 2, dst[1], dst[2] - 1}};
      },
      27);
  const std::vector<Index> indices = {8, 2, 2, 5, 0};
  expect_hulls(
      graph, add_op(graph, {src}, Gather{.axis = 1, .indices = indices}),
      [&](const Cell& dst, std::size_t) {
        return std::vector<Cell>{{dst[0], indices[static_cast<std::size_t>(dst[1])], dst[2]}};
      },
      28);
}

TEST(InputBoxes, OfProductsAreRowsAndColumns) {
  Graph graph;
  const OpId a = add_input(graph, {2, 1, 4, 5});
  const OpId b = add_input(graph, {3, 5, 6});
  expect_hulls(
      graph, add_op(graph, {a, b}, MatMul{}),
      [](const Cell& dst, std::size_t input) {
        std::vector<Cell> cells;
        for (Index k = 0; k < 5; ++k)
          cells.push_back(input == 0 ? Cell{dst[0], 0, dst[2], k} : Cell{dst[1], k, dst[3]});
        return cells;
      },
      29);
}

// The axes along which an operator may be cut, as digits.
std::string cuts(const Graph& graph, OpId id) {
  std::string axes;
  for (std::size_t axis = 0; axis < 6; ++axis)
    if (can_cut(graph, id, axis)) axes += std::to_string(axis);
  return axes;
}

TEST(CanCut, IsTrueWhereAKernelCanComputeAPart) {
  Graph graph;
  const OpId map = add_input(graph, {2, 6, 8, 8});
  const OpId constant = add_constant(graph, {6, 1, 1});
  EXPECT_EQ(cuts(graph, map), "");
  EXPECT_EQ(cuts(graph, constant), "");
  EXPECT_EQ(cuts(graph, add_conv(graph, map, 4, {})), "0123");
  EXPECT_EQ(cuts(graph, add_conv(graph, map, 6, {}, 6)), "0123");
  EXPECT_EQ(cuts(graph, add_conv(graph, map, 12, {}, 6)), "023");
  EXPECT_EQ(cuts(graph, add_conv(graph, map, 6, {}, 2)), "023");
  EXPECT_EQ(cuts(graph, add_op(graph, {map}, Pool{})), "0123");
  const OpId rows = add_op(graph, {map}, ReduceRows{});
  EXPECT_EQ(cuts(graph, rows), "012");
  EXPECT_EQ(cuts(graph, add_op(graph, {rows}, ReduceParts{})), "01");
  EXPECT_EQ(cuts(graph, add_op(graph, {rows}, Elementwise{})), "012");
  EXPECT_EQ(cuts(graph, add_op(graph, {map, constant}, Binary{})), "0123");
  EXPECT_EQ(cuts(graph, add_op(graph, {map, map}, Concat{.axis = 1})), "0123");
  EXPECT_EQ(cuts(graph, add_op(graph, {map}, Reshape{}, {12, 64})), "01");
  EXPECT_EQ(cuts(graph, add_op(graph, {map}, Reshape{}, {2, 2, 3, 8, 4, 2})), "0134");
  EXPECT_EQ(cuts(graph, add_op(graph, {map}, Reshape{}, {1, 768})), "1");
  EXPECT_EQ(cuts(graph, add_op(graph, {constant, constant}, Pointwise{})), "0");
  EXPECT_EQ(cuts(graph, add_op(graph, {constant}, Expand{}, {6, 4, 4})), "012");
  EXPECT_EQ(cuts(graph, add_op(graph, {map}, Gather{.axis = 2, .indices = {1}})), "013");
  EXPECT_EQ(cuts(graph, add_op(graph, {map}, Softmax{.axis = 1})), "023");
  EXPECT_EQ(cuts(graph, add_op(graph, {map}, Reduce{.axes = {0, 3}})), "12");
  EXPECT_EQ(cuts(graph, add_op(graph, {map}, ArgReduce{.axis = 1})), "023");
  EXPECT_EQ(cuts(graph, add_op(graph, {map}, CumSum{.axis = 3})), "012");
  EXPECT_EQ(cuts(graph, add_op(graph, {map}, Lrn{})), "0123");
  EXPECT_EQ(cuts(graph, add_op(graph, {map, map}, MatMul{})), "0123");
}

}  // namespace
}  // namespace strake

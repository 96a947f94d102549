// SPDX-License-Identifier: Apache-2.0
// Operators that compute cell by cell, pools and what moves cells, on whole tensors and on random slabs, against the
// plain-loop reference.

#include <gtest/gtest.h>

#include "kernels/operator_checks.hpp"

namespace strake::kernels {
namespace {

using namespace test;

const std::vector<std::size_t> any_axis = {0, 1, 2, 3};

TEST(Operators, ActivationsAgreeWithTheReference) {
  Random random(11);
  for (const ActivationKind kind : {ActivationKind::relu,         ActivationKind::leaky_relu,
                                    ActivationKind::clip,         ActivationKind::sigmoid,
                                    ActivationKind::tanh,         ActivationKind::swish,
                                    ActivationKind::hard_sigmoid, ActivationKind::hard_swish,
                                    ActivationKind::elu,          ActivationKind::softplus,
                                    ActivationKind::exp,          ActivationKind::abs,
                                    ActivationKind::neg,          ActivationKind::floor,
                                    ActivationKind::ceil,         ActivationKind::linear,
                                    ActivationKind::round,        ActivationKind::sign,
                                    ActivationKind::erf,          ActivationKind::gelu,
                                    ActivationKind::gelu_tanh,    ActivationKind::mish,
                                    ActivationKind::selu,         ActivationKind::celu,
                                    ActivationKind::softsign,     ActivationKind::thresholded_relu,
                                    ActivationKind::shrink,       ActivationKind::sin,
                                    ActivationKind::cos,          ActivationKind::atan,
                                    ActivationKind::sinh,         ActivationKind::cosh,
                                    ActivationKind::asinh}) {
    SCOPED_TRACE("activation " + std::to_string(static_cast<int>(kind)));
    check_unary(random, random_map(random), Elementwise{.function = {.kind = kind, .alpha = 0.25F, .beta = 1.5F}},
                any_axis);
  }
  for (const ActivationKind kind : {ActivationKind::log, ActivationKind::sqrt, ActivationKind::reciprocal}) {
    SCOPED_TRACE("activation " + std::to_string(static_cast<int>(kind)));
    check_unary(random, random_map(random), Elementwise{.function = {.kind = kind}}, any_axis, {}, 0.1F, 9);
  }
  for (const ActivationKind kind :
       {ActivationKind::tan, ActivationKind::asin, ActivationKind::acos, ActivationKind::atanh})
    check_unary(random, random_map(random), Elementwise{.function = {.kind = kind}}, any_axis, {}, -0.9F, 0.9F);
  check_unary(random, random_map(random), Elementwise{.function = {.kind = ActivationKind::acosh}}, any_axis, {}, 1, 9);
}

WindowAxis random_pool_window(Random& random, Index size) {
  WindowAxis axis{.kernel = pick(random, 1, 4),
                  .stride = pick(random, 1, 3),
                  .dilation = pick(random, 1, 2),
                  .pad_begin = 0,
                  .pad_end = 0};
  axis.pad_begin = pick(random, 0, axis.kernel - 1);
  axis.pad_end = pick(random, 0, axis.kernel - 1);
  if (axis.reach() > size + axis.pad_begin + axis.pad_end) axis = {};
  return axis;
}

TEST(Operators, PoolsAgreeWithTheReferenceInEveryRule) {
  Random random(12);
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE("seed 12, round " + std::to_string(round));
    const Shape shape = random_map(random);
    const Window2d window{.h = random_pool_window(random, shape[2]), .w = random_pool_window(random, shape[3])};
    const Rounding rounding = round % 2 == 0 ? Rounding::floor : Rounding::ceil;
    const Shape dst = {shape[0], shape[1], output_size(window.h, shape[2], rounding),
                       output_size(window.w, shape[3], rounding)};
    const PoolKind kind = round % 3 == 0 ? PoolKind::max : PoolKind::average;
    const AverageOver over = round % 5 < 2 ? AverageOver::padded_cells : AverageOver::input_cells;
    check_unary(random, shape, Pool{.kind = kind, .window = window, .over = over}, any_axis, dst);
  }
}

TEST(Operators, BinariesBroadcastAsNumpyDoes) {
  Random random(14);
  const std::vector<std::pair<Shape, Shape>> shapes = {{{1, 5, 7, 9}, {1, 5, 7, 9}},
                                                       {{1, 5, 7, 9}, {1, 5, 1, 1}},
                                                       {{1, 5, 7, 9}, {1, 1, 7, 9}},
                                                       {{2, 5, 7, 9}, {9}},
                                                       {{1, 5, 7, 9}, {5, 1, 1}},
                                                       {{1, 5, 1, 9}, {2, 1, 7, 1}},
                                                       {{6, 8}, {8}},
                                                       {{1, 33, 40, 31}, {}},
                                                       {{1, 33, 40, 31}, {1, 33, 40, 31}}};
  for (const BinaryKind kind : {BinaryKind::add, BinaryKind::sub, BinaryKind::mul, BinaryKind::div, BinaryKind::max,
                                BinaryKind::min, BinaryKind::pow})
    for (const auto& [a, b] : shapes) {
      SCOPED_TRACE("binary " + std::to_string(static_cast<int>(kind)) + " of " + to_string(a) + " and " + to_string(b));
      Graph graph;
      const std::vector<OpId> sources = {add_input(graph, a), add_input(graph, b)};
      const std::vector<PostOp> post_ops = {Activation{.kind = ActivationKind::clip, .alpha = 0, .beta = 6}};
      add_op(graph, sources,
             Binary{.kind = kind, .post_ops = kind == BinaryKind::add ? post_ops : std::vector<PostOp>()});
      std::vector<std::size_t> axes(graph.shape(2).size());
      for (std::size_t axis = 0; axis < axes.size(); ++axis) axes[axis] = axis;
      check_operator(graph, {random_values(random, a, 0.5F, 2), random_values(random, b, 0.5F, 2)}, random, axes);
    }
}

TEST(Operators, ScaleShiftKnowsTheChannelsOfItsSlab) {
  Random random(15);
  for (int round = 0; round < 6; ++round) {
    Graph graph;
    const Shape shape = random_map(random);
    const OpId src = add_input(graph, shape);
    const WeightId scale = round % 3 == 1 ? no_weight : add_random_weight(graph, random, {shape[1]});
    const WeightId shift = round % 3 == 2 ? no_weight : add_random_weight(graph, random, {shape[1]});
    add_op(graph, {src},
           ScaleShift{.scale = scale, .shift = shift, .post_ops = {Activation{.kind = ActivationKind::relu}}});
    check_operator(graph, {random_values(random, shape)}, random, any_axis);
  }
}

TEST(Operators, PicturesAreNormalised) {
  Random random(16);
  Graph graph;
  const Shape shape = {1, 3, 17, 29};
  const OpId src = add_input(graph, shape, ElementType::u8);
  add_op(graph, {src}, NormalizePicture{.scale = {0.5F, 0.25F, 2}, .shift = {1, -3, 0.125F}});
  Values picture = random_values(random, shape, 0, 255);
  for (float& value : picture) value = std::floor(value);
  check_operator(graph, {picture}, random, any_axis);
}

TEST(Operators, ConcatSliceTransposePadGatherAndReshapeMoveCells) {
  Random random(17);
  for (int round = 0; round < 8; ++round) {
    SCOPED_TRACE("seed 17, round " + std::to_string(round));
    const Shape map = {2, pick(random, 2, 9), pick(random, 3, 11), pick(random, 3, 13)};
    for (int axis = 0; axis < 4; ++axis) {
      Graph graph;
      std::vector<OpId> sources;
      std::vector<Values> values;
      for (int part = 0; part < 3; ++part) {
        Shape shape = map;
        shape[static_cast<std::size_t>(axis)] = pick(random, 1, 5);
        sources.push_back(add_input(graph, shape));
        values.push_back(random_values(random, shape));
      }
      add_op(graph, sources, Concat{.axis = axis});
      check_operator(graph, values, random, any_axis);
      const auto place = static_cast<std::size_t>(axis);
      check_unary(random, map, Gather{.axis = axis, .indices = {map[place] - 1, 0, 1, 1}}, any_axis);
    }
    check_unary(random, map, Transpose{.axes = {0, 2, 3, 1}}, any_axis);
    check_unary(random, map, Transpose{.axes = {0, 3, 2, 1}}, any_axis);
    check_unary(random, {map[1], map[2], map[3]}, Transpose{.axes = {2, 0, 1}}, {0, 1, 2});
    check_unary(random, map, Slice{.begin = {0, 1, 2, map[3] - 1}, .step = {1, 1, 1, -2}}, any_axis,
                {2, map[1] - 1, map[2] - 2, (map[3] + 1) / 2});
    check_unary(random, map, Reshape{}, {}, {2, map[1] * map[2], map[3]});
    check_unary(random, map, Reshape{}, {}, {2, map[3], map[1], map[2]});
    check_unary(random, {map[1] * map[2], map[3]}, Reshape{}, {}, {1, map[1], map[2], map[3]});
    check_unary(random, map, Pad{.begin = {0, 1, 2, 0}, .value = -2.5F}, {}, {2, map[1] + 3, map[2] + 2, map[3] + 1});
  }
}

TEST(Operators, PadIsCutAnywhere) {
  Random random(18);
  const Shape map = {1, 4, 6, 5};
  for (int round = 0; round < 10; ++round)
    check_unary(random, map, Pad{.begin = {0, 0, 3, 4}, .value = 7}, {1, 2, 3}, {1, 4, 12, 14});
}

}  // namespace
}  // namespace strake::kernels

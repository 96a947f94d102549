// SPDX-License-Identifier: Apache-2.0
// Operators that go along axes, of elements of every type that they take.

#include <gtest/gtest.h>

#include "kernels/operator_checks.hpp"

namespace strake::kernels {
namespace {

using namespace test;

constexpr GenericReduceKind all_kinds[] = {
    GenericReduceKind::sum,        GenericReduceKind::mean,       GenericReduceKind::max,
    GenericReduceKind::min,        GenericReduceKind::prod,       GenericReduceKind::l1,
    GenericReduceKind::l2,         GenericReduceKind::log_sum,    GenericReduceKind::log_sum_exp,
    GenericReduceKind::sum_square, GenericReduceKind::mean_square};

/// The axes of a tensor that are not in `axes`.
std::vector<std::size_t> others(std::size_t rank, const std::vector<int>& axes) {
  std::vector<std::size_t> rest;
  for (std::size_t axis = 0; axis < rank; ++axis)
    if (std::find(axes.begin(), axes.end(), static_cast<int>(axis)) == axes.end()) rest.push_back(axis);
  return rest;
}

TEST(Reductions, OfRowsAndPartsAgreeWithTheReference) {
  Random random(13);
  for (int round = 0; round < 10; ++round) {
    SCOPED_TRACE("seed 13, round " + std::to_string(round));
    const Shape map = random_map(random);
    const Shape parts = {map[0], map[1], map[2], 1};
    check_unary(random, map, ReduceRows{.kind = ReduceKind::sum}, {0, 1, 2});
    check_unary(random, map, ReduceRows{.kind = ReduceKind::max}, {0, 1, 2});
    check_unary(random, parts, ReduceParts{.kind = ReduceKind::sum, .scale = 0.125F}, {0, 1});
    check_unary(random, parts, ReduceParts{.kind = ReduceKind::max, .scale = 1}, {0, 1});
    check_unary(random, map, Lrn{.size = pick(random, 1, 6)}, {0, 1, 2, 3});
  }
}

TEST(Reductions, OverAnyAxesAgreeWithTheReference) {
  Random random(20);
  const std::vector<std::vector<int>> of_maps = {{1}, {2}, {3}, {2, 3}, {1, 2, 3}, {0, 2, 3}, {3, 1}, {0, 1, 2, 3}};
  const std::vector<std::vector<int>> of_lists = {{0}, {1}, {2}, {0, 2}, {1, 2}, {}};
  for (const GenericReduceKind kind : all_kinds) {
    SCOPED_TRACE("kind " + std::to_string(static_cast<int>(kind)));
    // Products of many numbers stay within floats when these are near 1.
    const float least = kind == GenericReduceKind::log_sum || kind == GenericReduceKind::prod ? 0.95F : -2;
    const float most = kind == GenericReduceKind::prod ? 1.05F : 2;
    for (const std::vector<int>& axes : of_maps)
      check_unary(random, {pick(random, 1, 2), pick(random, 1, 80), pick(random, 1, 9), pick(random, 1, 9)},
                  Reduce{.kind = kind, .axes = axes}, others(4, axes), {}, least, most);
    for (const std::vector<int>& axes : of_lists)
      check_unary(random, {pick(random, 1, 7), pick(random, 1, 9), pick(random, 1, 150)},
                  Reduce{.kind = kind, .axes = axes}, others(3, axes), {}, least, most);
  }
}

TEST(Reductions, OfIntegersAndDoublesAreExact) {
  Random random(21);
  for (const ElementType type : {ElementType::f64, ElementType::i32, ElementType::i64, ElementType::u8, ElementType::i8,
                                 ElementType::u32, ElementType::u64, ElementType::i16})
    for (const GenericReduceKind kind :
         {GenericReduceKind::sum, GenericReduceKind::max, GenericReduceKind::min, GenericReduceKind::l1}) {
      SCOPED_TRACE(std::string(to_string(type)) + ", kind " + std::to_string(static_cast<int>(kind)));
      Graph graph;
      const Shape shape = {3, 20, 4};
      add_op(graph, {add_input(graph, shape, type)}, Reduce{.kind = kind, .axes = {1}});
      Values values = random_values(random, shape, 0, 6);
      for (float& value : values) value = std::floor(value);
      check_operator(graph, {values}, random, {0, 2}, 0);
    }
}

TEST(Reductions, AroundACentreAreVariances) {
  Random random(22);
  for (const std::vector<int>& axes : std::vector<std::vector<int>>{{2, 3}, {1, 2, 3}, {3}, {0, 2, 3}, {1}}) {
    Graph graph;
    const Shape map = {2, pick(random, 1, 70), pick(random, 1, 7), pick(random, 1, 9)};
    Shape centre = map;
    for (const int axis : axes) centre[static_cast<std::size_t>(axis)] = 1;
    const std::vector<OpId> sources = {add_input(graph, map), add_input(graph, centre)};
    add_op(graph, sources, Reduce{.kind = GenericReduceKind::mean_square, .axes = axes});
    // Far from 0: the mean of squares less the square of the mean would have no digit left.
    check_operator(graph, {random_values(random, map, 999, 1001), random_values(random, centre, 999, 1001)}, random,
                   others(4, axes));
  }
}

TEST(Reductions, OfInfinitiesHaveNoNaN) {
  Graph graph;
  const float infinity = std::numeric_limits<float>::infinity();
  add_op(graph, {add_input(graph, {2, 3})}, Reduce{.kind = GenericReduceKind::log_sum_exp, .axes = {1}});
  SlabRunner runner(graph, {{-infinity, -infinity, -infinity, 1, infinity, 2}});
  EXPECT_EQ(runner.run(1, whole({2, 1}), Exactness::fastest), (Values{-infinity, infinity}));
}

TEST(ArgReductions, FindTheFirstOrTheLastPlace) {
  Random random(23);
  for (const ArgKind kind : {ArgKind::max, ArgKind::min})
    for (const ArgTie tie : {ArgTie::first, ArgTie::last})
      for (const ElementType type : {ElementType::f32, ElementType::i64, ElementType::u8})
        for (int axis = 0; axis < 4; ++axis) {
          Graph graph;
          const Shape map = {2, pick(random, 1, 70), pick(random, 1, 9), pick(random, 1, 9)};
          add_op(graph, {add_input(graph, map, type)}, ArgReduce{.kind = kind, .axis = axis, .tie = tie});
          Values values = random_values(random, map, 0, 5);
          for (float& value : values) value = std::floor(value);
          check_operator(graph, {values}, random, others(4, {axis}), 0);
        }
}

TEST(RunningSums, GoBothWays) {
  Random random(24);
  for (const SumPlace place : {SumPlace::inclusive, SumPlace::exclusive})
    for (const SumDirection direction : {SumDirection::forward, SumDirection::backward})
      for (const ElementType type : {ElementType::f32, ElementType::f64, ElementType::i32})
        for (int axis = 0; axis < 4; ++axis) {
          Graph graph;
          const Shape map = {2, pick(random, 1, 70), pick(random, 1, 9), pick(random, 1, 9)};
          add_op(graph, {add_input(graph, map, type)}, CumSum{.axis = axis, .place = place, .direction = direction});
          Values values = random_values(random, map, -4, 4);
          for (float& value : values) value = std::floor(value);
          check_operator(graph, {values}, random, others(4, {axis}), 0);
        }
}

TEST(Softmaxes, AgreeWithTheReference) {
  Random random(25);
  for (const SoftmaxKind kind : {SoftmaxKind::softmax, SoftmaxKind::log_softmax, SoftmaxKind::hardmax})
    for (int round = 0; round < 6; ++round)
      for (int axis = 0; axis < 4; ++axis) {
        SCOPED_TRACE("seed 25, kind " + std::to_string(static_cast<int>(kind)) + ", axis " + std::to_string(axis));
        check_unary(random, {pick(random, 1, 2), pick(random, 1, 150), pick(random, 1, 9), pick(random, 1, 9)},
                    Softmax{.axis = axis, .kind = kind}, others(4, {axis}));
        check_unary(random, {pick(random, 1, 9), pick(random, 1, 9), pick(random, 1, 150)},
                    Softmax{.axis = axis % 3, .kind = kind}, others(3, {axis % 3}));
      }
}

TEST(Softmaxes, OfDoublesAreDoubles) {
  Random random(26);
  for (int axis = 0; axis < 3; ++axis) {
    Graph graph;
    const Shape shape = {3, 4, 70};
    add_op(graph, {add_input(graph, shape, ElementType::f64)}, Softmax{.axis = axis});
    check_operator(graph, {random_values(random, shape)}, random, others(3, {axis}));
  }
}

}  // namespace
}  // namespace strake::kernels

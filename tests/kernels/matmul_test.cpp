// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <numeric>

#include "kernels/operator_checks.hpp"

namespace strake::kernels {
namespace {

using namespace test;

TEST(Products, OfMatricesAgreeWithTheReference) {
  Random random(19);
  const std::vector<std::pair<Shape, Shape>> shapes = {{{5, 7}, {7, 3}},
                                                       {{2, 5, 7}, {7, 3}},
                                                       {{2, 5, 7}, {2, 7, 3}},
                                                       {{2, 3, 5, 7}, {1, 3, 7, 40}},
                                                       {{2, 2, 9, 33}, {2, 2, 33, 70}},
                                                       {{3, 1, 67, 20}, {2, 20, 130}},
                                                       {{1, 300}, {300, 17}}};
  for (const auto& [a, b] : shapes) {
    Graph graph;
    const std::vector<OpId> sources = {add_input(graph, a), add_input(graph, b)};
    add_op(graph, sources, MatMul{});
    std::vector<std::size_t> axes(graph.shape(2).size());
    std::iota(axes.begin(), axes.end(), 0);
    check_operator(graph, {random_values(random, a), random_values(random, b)}, random, axes);
  }
}

TEST(Products, OfIntegersAndDoublesAreExact) {
  Random random(27);
  for (const ElementType type :
       {ElementType::f64, ElementType::i32, ElementType::i64, ElementType::u32, ElementType::u64}) {
    Graph graph;
    const std::vector<OpId> sources = {add_input(graph, {2, 5, 7}, type), add_input(graph, {7, 9}, type)};
    add_op(graph, sources, MatMul{});
    std::vector<Values> values = {random_values(random, {2, 5, 7}, 0, 9), random_values(random, {7, 9}, 0, 9)};
    for (Values& list : values)
      for (float& value : list) value = std::floor(value);
    check_operator(graph, values, random, {0, 1, 2}, 0);
  }
}

}  // namespace
}  // namespace strake::kernels

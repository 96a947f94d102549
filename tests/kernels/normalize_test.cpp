// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "kernels/operator_checks.hpp"

namespace strake::kernels {
namespace {

using namespace test;

// Statistics of shape `statistics`, scale and shift of shape `affine`, as many of the five inputs as wanted.
void check_normalize(Random& random, const Shape& map, const Shape& statistics, const Shape& affine, int n_inputs) {
  SCOPED_TRACE(to_string(map) + " by " + to_string(statistics) + " and " + to_string(affine));
  const std::vector<Shape> shapes = {map, statistics, statistics, affine, affine};
  Graph graph;
  std::vector<OpId> sources;
  std::vector<Values> values;
  for (int i = 0; i < n_inputs; ++i) {
    const Shape& shape = shapes[static_cast<std::size_t>(i)];
    sources.push_back(add_input(graph, shape));
    values.push_back(i == 2 ? random_values(random, shape, 0.5F, 3) : random_values(random, shape));
  }
  add_op(graph, sources, Normalize{.epsilon = 1e-3F});
  std::vector<std::size_t> axes(map.size());
  for (std::size_t axis = 0; axis < axes.size(); ++axis) axes[axis] = axis;
  check_operator(graph, values, random, axes);
}

TEST(Normalize, TakesStatisticsPerChannelPerPlaceOrPerCell) {
  Random random(31);
  for (int round = 0; round < 8; ++round)
    for (int n_inputs = 3; n_inputs <= 5; ++n_inputs) {
      const Shape map = {2, pick(random, 1, 150), pick(random, 1, 9), pick(random, 1, 9)};
      check_normalize(random, map, {2, map[1], 1, 1}, {map[1], 1, 1}, n_inputs);
      check_normalize(random, map, {1, map[1], 1, 1}, {}, n_inputs);
      check_normalize(random, map, {2, 1, map[2], map[3]}, {map[1], 1, 1}, n_inputs);
      check_normalize(random, map, {2, 1, 1, 1}, map, n_inputs);
      check_normalize(random, {3, 5, map[1]}, {3, 5, 1}, {map[1]}, n_inputs);
      check_normalize(random, {7, map[1]}, {1, map[1]}, {map[1]}, n_inputs);
    }
}

}  // namespace
}  // namespace strake::kernels

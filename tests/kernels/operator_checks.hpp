// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One operator on whole tensors and on random slabs, against the plain-loop reference.

#include "kernels/slab_runner.hpp"

namespace strake::kernels::test {

inline Box random_box(Random& random, const Shape& shape, const std::vector<std::size_t>& cut_axes) {
  Box box = whole(shape);
  const Box any = strake::test::random_full_box(random, shape);
  for (const std::size_t axis : cut_axes)
    if (pick(random, 0, 2) != 0) box[axis] = any[axis];
  return box;
}

/// Compares the last operator of a graph with the reference, whole and cut along `cut_axes`; cutting must not change a
/// bit either. Sums of up to a few hundred floats of size 1 and polynomials good to 2 ulp agree with sums and functions
/// in double within the default tolerance.
inline void check_operator(const Graph& graph, const std::vector<Values>& inputs, Random& random,
                           const std::vector<std::size_t>& cut_axes, float tolerance = 2e-5F) {
  const OpId id = graph.size() - 1;
  SCOPED_TRACE(std::string(kind_name(graph.op(id))) + " to " + to_string(graph.shape(id)));
  SlabRunner runner(graph, inputs);
  const Box all = whole(graph.shape(id));
  const Values computed = runner.run(id, all, Exactness::fastest);
  expect_close(computed, runner.expected(id, all), tolerance);
  for (int slab = 0; slab < 6; ++slab) {
    const Box box = random_box(random, graph.shape(id), cut_axes);
    const Values part = runner.run(id, box, Exactness::exact, {.margin = pick(random, 0, 2)});
    ASSERT_EQ(part.size(), static_cast<std::size_t>(box.volume()));
    EXPECT_EQ(differing_bits(part, part_of(computed, all, box)), 0U) << to_string(box);
  }
}

/// A graph of one operator over a random map.
inline void check_unary(Random& random, const Shape& shape, const Attributes& attributes,
                        const std::vector<std::size_t>& cut_axes, Shape dst = {}, float least = -4, float most = 4) {
  Graph graph;
  const OpId src = add_input(graph, shape);
  add_op(graph, {src}, attributes, std::move(dst));
  check_operator(graph, {random_values(random, shape, least, most)}, random, cut_axes);
}

inline Shape random_map(Random& random) {
  return {pick(random, 1, 2), pick(random, 1, 37), pick(random, 1, 19), pick(random, 1, 23)};
}

}  // namespace strake::kernels::test

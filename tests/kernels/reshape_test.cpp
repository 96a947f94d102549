// SPDX-License-Identifier: Apache-2.0
// Reshapes of parts of tensors, against the plain-loop reference.

#include <gtest/gtest.h>

#include "kernels/slab_runner.hpp"

namespace strake::kernels {
namespace {

using namespace test;

void check(Random& random, const Shape& src, const Shape& dst, ElementType type = ElementType::f32) {
  SCOPED_TRACE(to_string(src) + " to " + to_string(dst));
  Graph graph;
  const OpId id = add_op(graph, {add_input(graph, src, type)}, Reshape{}, dst);
  Values values(static_cast<std::size_t>(volume(src)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 251);
  SlabRunner runner(graph, std::vector<Values>{values});
  EXPECT_EQ(runner.run(id, whole(dst), Exactness::exact), runner.expected(id, whole(dst)));
  for (int slab = 0; slab < 12; ++slab) {
    const Box box = strake::test::random_full_box(random, dst);
    EXPECT_EQ(runner.run(id, box, Exactness::exact, {.margin = pick(random, 0, 2)}), runner.expected(id, box))
        << to_string(box);
  }
}

TEST(ReshapeKernel, ComputesAnyPartOfAnyReshape) {
  Random random(71);
  for (const ElementType type : {ElementType::f32, ElementType::u8, ElementType::i64}) {
    check(random, {2, 12, 5, 7}, {2, 12, 5, 7, 1}, type);
    check(random, {2, 12, 5, 7}, {2, 3, 4, 5, 7}, type);
    check(random, {2, 3, 4, 5, 7}, {2, 12, 5, 7}, type);
    check(random, {1, 12, 5, 7}, {1, 12, 35}, type);
    check(random, {1, 12, 35}, {1, 12, 5, 7}, type);
    check(random, {2, 35, 12}, {2, 5, 7, 12}, type);
    check(random, {2, 5, 7, 12}, {2, 35, 12}, type);
    check(random, {2, 6, 4, 5}, {2, 120}, type);
    check(random, {2, 120}, {2, 6, 4, 5}, type);
    check(random, {3, 4, 6, 5}, {3, 3, 8, 5}, type);
    check(random, {2, 4, 6, 5}, {2, 3, 8, 5}, type);
    check(random, {4, 6}, {3, 8}, type);
    check(random, {24}, {2, 3, 4}, type);
    check(random, {1, 1}, {1}, type);
    check(random, {6, 1, 4}, {1, 6, 2, 1, 2}, type);
  }
}

TEST(ReshapeKernel, CopiesOnceWhereCellsLieEvenly) {
  Graph graph;
  const OpId map = add_input(graph, {1, 12, 5, 7});
  const OpId groups = add_op(graph, {map}, Reshape{}, {1, 3, 4, 5, 7});
  const OpId flat = add_op(graph, {map}, Reshape{}, {1, 420});
  SlabRunner runner(graph, std::vector<Values>{Values(420)});
  (void)runner.run(groups, whole(graph.shape(groups)), Exactness::exact);
  EXPECT_EQ(runner.implementation(), "copy");
  (void)runner.run(flat, whole(graph.shape(flat)), Exactness::exact);
  EXPECT_EQ(runner.implementation(), "copy+copy");
}

}  // namespace
}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
// The promise of `Exactness::exact`: the bits of a cell do not depend on the slab that it is computed in.

#include <gtest/gtest.h>

#include "kernels/random_conv.hpp"

namespace strake::kernels {
namespace {

using namespace test;

class Exact : public testing::TestWithParam<unsigned> {};

TEST_P(Exact, SlabsOfConvolutionsHaveTheBitsOfTheWhole) {
  Random random(GetParam());
  for (int layer = 0; layer < 60; ++layer) {
    const RandomConv drawn = random_conv(random);
    SCOPED_TRACE("seed " + std::to_string(GetParam()) + ", layer " + std::to_string(layer) + ": " + drawn.text);
    SlabRunner runner(drawn.graph, drawn.inputs);
    const Box all = whole(drawn.graph.shape(drawn.op));
    const Values whole_layer = runner.run(drawn.op, all, Exactness::exact);
    const std::string implementation = runner.implementation();
    expect_close(whole_layer, runner.expected(drawn.op, all), 1e-3F);
    for (int slab = 0; slab < 8; ++slab) {
      const Box box = random_slab(random, drawn.graph.shape(drawn.op));
      const Layout layout{.margin = pick(random, 0, 2), .residual_in_place = pick(random, 0, 1) == 0};
      const Values part = runner.run(drawn.op, box, Exactness::exact, layout);
      EXPECT_EQ(differing_bits(part, part_of(whole_layer, all, box)), 0U)
          << to_string(box) << " by " << runner.implementation() << ", the whole by " << implementation;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Exact, testing::Range(1U, 7U));

}  // namespace
}  // namespace strake::kernels

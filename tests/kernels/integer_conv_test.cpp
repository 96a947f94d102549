// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <omp.h>

#include "kernels/integer_dot.hpp"
#include "kernels/isa.hpp"
#include "kernels/random_integer_conv.hpp"

namespace strake::kernels {
namespace {

using namespace test;

void expect_same(const HostTensor& actual, const HostTensor& expected) {
  ASSERT_EQ(actual.type, expected.type);
  ASSERT_EQ(actual.data.size_bytes(), expected.data.size_bytes());
  for (Index i = 0; i < volume(expected.shape); ++i)
    ASSERT_EQ(number_at(actual, i), number_at(expected, i)) << "cell " << i << " of " << to_string(expected.type);
}

class IntegerConvolution : public testing::TestWithParam<unsigned> {};

// No tolerance: sums are exact, and the reference scales and rounds floats as the kernels do.
TEST_P(IntegerConvolution, IsTheReferenceOnEverySlab) {
  Random random(GetParam());
  for (int layer = 0; layer < 60; ++layer) {
    const RandomIntegerConv drawn = random_integer_conv(random);
    SCOPED_TRACE("seed " + std::to_string(GetParam()) + ", layer " + std::to_string(layer) + ": " + drawn.text);
    SlabRunner runner(drawn.graph, drawn.inputs);
    const Box all = whole(drawn.graph.shape(drawn.op));
    expect_same(runner.run_tensor(drawn.op, all, Exactness::fastest), runner.expected_tensor(drawn.op, all));
    for (int slab = 0; slab < 6; ++slab) {
      const Box box = random_slab(random, drawn.graph.shape(drawn.op));
      SCOPED_TRACE(to_string(box));
      expect_same(runner.run_tensor(drawn.op, box, Exactness::exact, {.margin = pick(random, 0, 2)}),
                  runner.expected_tensor(drawn.op, box));
    }
    if (testing::Test::HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, IntegerConvolution, testing::Range(1U, 5U));

// The largest products there are, more of them than 16 bits or a float can add up.
TEST(IntegerConvolutions, DoNotSaturate) {
  for (const ElementType type : {ElementType::u8, ElementType::i8}) {
    Graph graph;
    const Shape shape = {1, 600, 3, 3};
    const OpId x = add_input(graph, shape, type);
    const OpId zero = add_input(graph, {}, type);
    const float most = range_of(type).high;
    IntegerConv conv;
    conv.window.h.kernel = conv.window.w.kernel = 3;
    const Shape weights = {20, 600, 3, 3};
    conv.weights = add_weight(graph, tensor_of(ElementType::i8, weights, Values(600 * 9 * 20, -128)));
    const OpId op = add_op(graph, {x, zero}, conv);
    SlabRunner runner(graph,
                      {tensor_of(type, shape, Values(600 * 9, most)), tensor_of(type, {}, {range_of(type).low})});
    const HostTensor sums = runner.run_tensor(op, whole(graph.shape(op)), Exactness::fastest);
    for (Index i = 0; i < 20; ++i) EXPECT_EQ(number_at(sums, i), -128.0 * 255 * 600 * 9);
  }
}

// Bounds of 16 bits would round half up at 0.5.
TEST(IntegerConvolutions, RoundHalfToEvenBeforeTheZeroPoint) {
  Graph graph;
  const Shape shape = {1, 1, 1, 8};
  const OpId x = add_input(graph, shape, ElementType::i8);
  const OpId zero = add_input(graph, {}, ElementType::i8);
  IntegerConv conv;
  conv.weights = add_weight(graph, tensor_of(ElementType::i8, {1, 1, 1, 1}, {1}));
  conv.scale = graph.add_weight("scale", {1}, Blob::copy_of(Values{0.5F}));
  conv.to = ElementType::u8;
  conv.zero = 3;
  conv.low = 0;
  conv.high = 255;
  const OpId op = add_op(graph, {x, zero}, conv);
  SlabRunner runner(
      graph, {tensor_of(ElementType::i8, shape, {-3, -2, -1, 0, 1, 2, 3, 5}), tensor_of(ElementType::i8, {}, {0})});
  const Values rounded = runner.run(op, whole(graph.shape(op)), Exactness::fastest);
  EXPECT_EQ(rounded, (Values{1, 2, 3, 3, 3, 4, 5, 5}));
}

TEST(IntegerConvolutions, UseBytesOnlyWhereTheyDoNotSaturate) {
  EXPECT_EQ(fastest_dot(false).channels_per_step, 1);
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const bool vnni = instruction_set_level() >= 4 && __builtin_cpu_supports("avx512vnni") != 0;
  EXPECT_EQ(fastest_dot(true).channels_per_step, vnni ? 4 : 1);
#endif
}

TEST(IntegerConvolutions, HaveTheSameBitsForEveryNumberOfThreads) {
  Random random(71);
  const int before = omp_get_max_threads();
  for (int layer = 0; layer < 30; ++layer) {
    const RandomIntegerConv drawn = random_integer_conv(random, 100);
    SCOPED_TRACE("seed 71, layer " + std::to_string(layer) + ": " + drawn.text);
    SlabRunner runner(drawn.graph, drawn.inputs);
    const Box all = whole(drawn.graph.shape(drawn.op));
    for (const int n_threads : {1, 2, 3}) {
      omp_set_num_threads(n_threads);
      expect_same(runner.run_tensor(drawn.op, all, Exactness::exact), runner.expected_tensor(drawn.op, all));
    }
  }
  omp_set_num_threads(before);
}

}  // namespace
}  // namespace strake::kernels

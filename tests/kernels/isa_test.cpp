// SPDX-License-Identifier: Apache-2.0
#include "kernels/isa.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <limits>

#include "core/errors.hpp"
#include "kernels/slab_runner.hpp"

namespace strake::kernels {
namespace {

using namespace test;

TEST(InstructionSet, HasANameForEachLevel) {
  EXPECT_EQ(instruction_set(), instruction_set_name(instruction_set_level()));
  for (int level = 1; level <= 4; ++level) EXPECT_NE(instruction_set_name(level), instruction_set_name(level - 1));
}

TEST(InstructionSet, NamesTheLibraryWithItsVersion) { EXPECT_EQ(library_version().find("oneDNN "), 0U); }

// No local variable: compilers divide those, volatile or not.
volatile float smallest = std::numeric_limits<float>::min();

TEST(InstructionSet, FlushesDenormalsInEveryThread) {
#if defined(__x86_64__) || defined(__aarch64__)
  flush_denormals();
  std::atomic<int> n_denormal = 0;
#pragma omp parallel
  {
    const float denormal = smallest / 4;
    if (denormal != 0.0F) ++n_denormal;
  }
  EXPECT_EQ(n_denormal, 0);
#else
  GTEST_SKIP() << "no such mode on this processor";
#endif
}

#if defined(__x86_64__)
TEST(InstructionSet, IsCappedForKernelsPreparedAfterwards) {
  if (instruction_set_level() < 3) GTEST_SKIP() << "the processor has no AVX2";
  cap_instruction_set(3);
  Random random(61);
  Graph graph;
  const OpId src = add_input(graph, {1, 32, 8, 8});
  const WindowAxis window{.kernel = 3, .stride = 1, .dilation = 1, .pad_begin = 1, .pad_end = 1};
  const OpId conv = add_op(graph, {src},
                           Conv{.window = {.h = window, .w = window},
                                .groups = 1,
                                .weights = add_random_weight(graph, random, {32, 32, 3, 3}),
                                .bias = no_weight,
                                .post_ops = {}});
  SlabRunner runner(graph, {random_values(random, {1, 32, 8, 8})});
  (void)runner.run(conv, whole(graph.shape(conv)), Exactness::exact);
  EXPECT_NE(runner.implementation().find("avx2"), std::string::npos) << runner.implementation();
  cap_instruction_set(3);
  EXPECT_THROW(cap_instruction_set(2), InvalidInput) << "the library has begun: it cannot be told any more";
}
#endif

}  // namespace
}  // namespace strake::kernels

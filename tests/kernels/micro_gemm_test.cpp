// SPDX-License-Identifier: Apache-2.0
#include "kernels/micro_gemm.hpp"

#include <gtest/gtest.h>

#include "kernels/isa.hpp"
#include "kernels/slab_runner.hpp"

namespace strake::kernels {
namespace {

using namespace test;

TEST(MicroGemm, MultipliesMatricesOfEverySize) {
  Random random(41);
  for (int i = 0; i < 200; ++i) {
    const Index rows = pick(random, 1, 45);
    const Index k = pick(random, 1, 40);
    const Index n = pick(random, 1, 90);
    SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(k) + " x " + std::to_string(n));
    const Index a_step = k + pick(random, 0, 3);
    const Values a = random_values(random, {rows, a_step});
    const Values b = random_values(random, {k, n});
    Values packed(static_cast<std::size_t>(packed_floats(k, n)));
    pack(b.data(), n, 1, k, n, packed.data());
    const Index c_step = packed_floats(1, n);
    Values c(static_cast<std::size_t>(rows * c_step), -1.0F);
    for (Index column = 0; column < n; column += panel_columns)
      multiply({.a = a.data(),
                .a_step = a_step,
                .b = packed.data() + column * k,
                .k = k,
                .width = panel_width(column, n),
                .c = c.data() + column,
                .c_step = c_step,
                .rows = rows});
    for (Index row = 0; row < rows; ++row)
      for (Index column = 0; column < c_step; ++column) {
        double sum = 0;
        for (Index j = 0; j < k && column < n; ++j)
          sum += static_cast<double>(a[static_cast<std::size_t>(row * a_step + j)]) *
                 b[static_cast<std::size_t>(j * n + column)];
        // 40 products of size 1: 40 roundings of sums below 40.
        ASSERT_NEAR(c[static_cast<std::size_t>(row * c_step + column)], sum, 1e-4) << row << ", " << column;
      }
  }
}

bool fuses() {
#if defined(__aarch64__)
  return true;
#else
  return has_avx2();
#endif
}

// 1 + 2^-12 squared is 1 + 2^-11 + 2^-24, whose last term is lost where the product is rounded before it is added. Half
// the speed of the kernel depends on what the build asks of the compiler, and nothing else would tell.
TEST(MicroGemm, FusesMultiplicationsWithAdditions) {
  if (!fuses()) GTEST_SKIP() << "no fused multiply-adds here";
  const float near_one = 1 + 0x1p-12F;
  const Values a = {-(1 + 0x1p-11F), near_one};
  const Values b = {1, near_one};
  Values packed(static_cast<std::size_t>(packed_floats(2, 1)));
  pack(b.data(), 1, 1, 2, 1, packed.data());
  Values c(static_cast<std::size_t>(packed_floats(1, 1)));
  multiply({.a = a.data(),
            .a_step = 2,
            .b = packed.data(),
            .k = 2,
            .width = panel_width(0, 1),
            .c = c.data(),
            .c_step = packed_floats(1, 1),
            .rows = 1});
  EXPECT_EQ(c.front(), 0x1p-24F);
}

}  // namespace
}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/rewrite_cases.hpp"

namespace strake::test {
namespace {

constexpr auto mul = BinaryKind::mul;

OpId one_plus_erf(Builder& build, OpId x, bool divided) {
  const OpId scaled = divided ? build.binary(BinaryKind::div, x, build.scalar(1.41421356F))
                              : build.binary(mul, x, build.scalar(0.70710678F));
  return build.sum(build.elementwise(scaled, ActivationKind::erf), build.scalar(1));
}

OpId one_plus_tanh(Builder& build, OpId x, bool power) {
  const OpId cube =
      power ? build.binary(BinaryKind::pow, x, build.scalar(3)) : build.binary(mul, build.binary(mul, x, x), x);
  const OpId inner = build.sum(x, build.binary(mul, build.scalar(0.044715F), cube));
  const OpId scaled = build.binary(mul, inner, build.scalar(0.79788456F));
  return build.sum(build.scalar(1), build.elementwise(scaled, ActivationKind::tanh));
}

// x times the gate times a half, in the orders in which exporters write it.
OpId halved(Builder& build, OpId x, OpId gate, int order) {
  if (order == 0) return build.binary(mul, build.binary(mul, x, gate), build.scalar(0.5F));
  if (order == 1) return build.binary(mul, build.binary(mul, x, build.scalar(0.5F)), gate);
  return build.binary(mul, x, build.binary(mul, build.scalar(0.5F), gate));
}

void expect_becomes(const Builder& build, ActivationKind kind) {
  const Graph after = expect_applies(rewrite::find_gelus, build.graph);
  ASSERT_EQ(kinds(after), (Kinds{"Input", "Elementwise"}));
  EXPECT_EQ(as<Elementwise>(after.op(1))->function.kind, kind);
}

TEST(FindGelus, SeesBothFormsInEveryOrder) {
  for (const bool other : {false, true})
    for (int order = 0; order < 3; ++order) {
      Builder exact;
      const OpId x = exact.input({1, 2, 3, 4});
      exact.output(halved(exact, x, one_plus_erf(exact, x, other), order));
      expect_becomes(exact, ActivationKind::gelu);
      Builder rounded;
      const OpId y = rounded.input({1, 2, 3, 4});
      rounded.output(halved(rounded, y, one_plus_tanh(rounded, y, other), order));
      expect_becomes(rounded, ActivationKind::gelu_tanh);
    }
}

TEST(FindGelus, LeavesOtherProductsAlone) {
  Builder whole;  // twice a gelu
  const OpId x = whole.input({1, 2, 3, 4});
  whole.output(whole.binary(mul, x, one_plus_erf(whole, x, true)));
  expect_leaves(rewrite::find_gelus, whole.graph);
  Builder mixed;  // of two values
  const OpId a = mixed.input({1, 2, 3, 4});
  const OpId b = mixed.input({1, 2, 3, 4});
  mixed.output(halved(mixed, a, one_plus_erf(mixed, b, true), 0));
  expect_leaves(rewrite::find_gelus, mixed.graph);
  Builder shared;  // the gate is an output as well
  const OpId s = shared.input({1, 2, 3, 4});
  const OpId gate = one_plus_erf(shared, s, true);
  shared.output(gate);
  shared.output(halved(shared, s, gate, 0));
  expect_leaves(rewrite::find_gelus, shared.graph);
}

}  // namespace
}  // namespace strake::test

// SPDX-License-Identifier: Apache-2.0
// Random graphs under random tables of boxes, ranks as threads: the same bits as one rank, near the plain loops.

#include "property_cases.hpp"

namespace strake::test {
namespace {

constexpr unsigned cases_per_shard = 250;

class RandomTables : public testing::TestWithParam<unsigned> {};

TEST_P(RandomTables, GiveTheBitsOfOneRankAndTheValuesOfTheReference) {
  int with_work_on_several = 0;
  for (unsigned i = 0; i < cases_per_shard; ++i) {
    const unsigned seed = GetParam() * 100000 + i;
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case one = make_case(seed, 1 + static_cast<int>(i % 8));
    ASSERT_NO_THROW(check(one.graph, one.plan, one.plan.n_ranks));
    const engine::TensorMap single = run_single(one, kernels::Exactness::exact);
    expect_near(one.graph, single, reference_of(one));
    expect_equal_bits(run_threads(one, kernels::Exactness::exact), single);
    if (HasFailure()) return;
    const std::vector<double> work = multiply_adds(one.graph, one.plan);
    if (std::count_if(work.begin(), work.end(), [](double w) { return w > 0; }) > 1) ++with_work_on_several;
  }
  EXPECT_GT(with_work_on_several, static_cast<int>(cases_per_shard / 2));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomTables, testing::Range(1U, 9U));

TEST(FastestKernels, AgreeWithTheReferenceOnSeveralRanks) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case one = make_case(seed, 1 + static_cast<int>(seed % 4));
    expect_near(one.graph, run_threads(one, kernels::Exactness::fastest), reference_of(one));
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace strake::test

// SPDX-License-Identifier: Apache-2.0
// Random graphs under random tables of boxes, ranks as threads: the same bits as one rank, near the plain loops.

#include "comm/rounded_cells.hpp"
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

std::vector<int> own_hosts(int n_ranks) {
  std::vector<int> hosts;
  for (int rank = 0; rank < n_ranks; ++rank) hosts.push_back(rank);
  return hosts;
}

// Comparisons, roundings and remainders, where the smallest error may become a whole step.
bool has_jumps(const Graph& graph) {
  return std::ranges::any_of(graph.ops, [](const Op& op) { return as<Pointwise>(op) != nullptr; });
}

// Every rank on a host of its own: each cell that travels is off by 2^-9 or 2^-12 of itself, as often as there are
// layers, and normalisations enlarge that.
TEST(RoundedTransfers, StayNearTheReference) {
  int n_compared = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Case one = make_case(40000 + seed, 2 + static_cast<int>(seed % 4));
    if (has_jumps(one.graph)) continue;
    const bool half = seed % 2 == 0;
    one.plan.transfer_type = half ? TransferType::fp16 : TransferType::bf16;
    expect_near(one.graph, run_threads(one, kernels::Exactness::fastest, own_hosts(one.plan.n_ranks)),
                reference_of(one), half ? 0.004F : 0.03F);
    if (testing::Test::HasFailure()) return;
    ++n_compared;
  }
  EXPECT_GT(n_compared, 200);
}

TEST(RoundedTransfers, ChangeNothingWithinAHost) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Case one = make_case(50000 + seed, 2 + static_cast<int>(seed % 4));
    one.plan.transfer_type = rounded_types[seed % 3];
    expect_equal_bits(run_threads(one, kernels::Exactness::exact), run_single(one, kernels::Exactness::exact));
    if (testing::Test::HasFailure()) return;
  }
}

HostTensor rounded(HostTensor tensor, TransferType type) {
  tensor.data = Blob::copy_of(tensor.data.floats());
  round_cells(tensor.data.floats(), type);
  return tensor;
}

// All work on rank 1, on another host: its input and its output are rounded as one message each, and nothing else is.
TEST(RoundedTransfers, AreThoseOfTheInputAndTheOutput) {
  int n_compared = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const TransferType type = rounded_types[seed % 3];
    Case one = make_case(60000 + seed, 2);
    // A reshape of the input, and an output that is an input or a sum, travel otherwise.
    const auto is_plain = [&](const Port& port) {
      return as<Input>(one.graph.op(port.op)) == nullptr &&
             travels_as(one.graph.op(port.op), TransferType::bf16) == TransferType::bf16;
    };
    if (!std::ranges::all_of(one.graph.outputs, is_plain)) continue;
    one.plan = single_rank_plan(one.graph, 2, 1);
    one.plan.transfer_type = type;
    const OpId input = one.graph.inputs.front().op;
    const std::vector<Transfer> scatter = transfers(one.graph, one.plan, input);
    if (scatter.size() != 1 || !(scatter.front().box == whole(one.graph.shape(input)))) continue;
    const engine::TensorMap outputs = run_threads(one, kernels::Exactness::exact, {0, 1});
    Case rounded_case = one;
    rounded_case.inputs["input"] = rounded(one.inputs.at("input"), type);
    engine::TensorMap expected = run_single(rounded_case, kernels::Exactness::exact);
    for (auto& [name, tensor] : expected) tensor = rounded(tensor, type);
    expect_equal_bits(outputs, expected);
    if (testing::Test::HasFailure()) return;
    ++n_compared;
  }
  EXPECT_GT(n_compared, 30);
}

}  // namespace
}  // namespace strake::test

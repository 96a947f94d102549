// SPDX-License-Identifier: Apache-2.0
// The same property over MPI: every rank builds the case from its seed.

#include "comm/mpi_main.hpp"
#include "property_cases.hpp"

namespace strake::test {
namespace {

TEST(RandomTablesOverMpi, GiveTheBitsOfOneRank) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case one = make_case(7000 + seed, world->size());
    const engine::TensorMap outputs = run_rank(one, one.plan, world->rank(), world, kernels::Exactness::exact);
    if (world->rank() == 0) expect_equal_bits(outputs, run_single(one, kernels::Exactness::exact));
  }
}

}  // namespace
}  // namespace strake::test

int main(int argc, char** argv) { return strake::test::run_on_all_ranks(argc, argv); }

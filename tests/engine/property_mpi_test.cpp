// SPDX-License-Identifier: Apache-2.0
// The same property over MPI: every rank builds the case from its seed.

#include "comm/mpi_communicator.hpp"
#include "property_cases.hpp"

namespace strake::test {
namespace {

comm::Communicator* world = nullptr;

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

int main(int argc, char** argv) {
  strake::comm::MpiSession mpi(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  const auto communicator = strake::comm::make_mpi_communicator();
  strake::test::world = communicator.get();
  return RUN_ALL_TESTS();
}

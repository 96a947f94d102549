// SPDX-License-Identifier: Apache-2.0
// The last rank cannot go on; the others, who wait for it, end with its exit code and finalise MPI with it.
#include <gtest/gtest.h>

#include "comm/farewells.hpp"
#include "comm/mpi_main.hpp"

namespace strake::test {
namespace {

constexpr auto patience = std::chrono::seconds(20);
constexpr int cause = 7;

TEST(Farewells, ReachRanksThatWaitForWhoLeft) {
  const int last = world->size() - 1;
  if (world->rank() == last) {
    EXPECT_EQ(world->leave(cause), cause);
    return;
  }
  try {
    (void)world->receive(last, patience);
    FAIL() << "received from a rank that sent nothing";
  } catch (const comm::JobEnded& job) {
    EXPECT_EQ(job.exit_code, cause);
  }
  EXPECT_EQ(world->leave(0), cause);
}

}  // namespace
}  // namespace strake::test

int main(int argc, char** argv) {
  return strake::test::run_on_all_ranks(argc, argv, strake::test::Leaving::within_tests);
}

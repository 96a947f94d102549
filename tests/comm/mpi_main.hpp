// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The main function of test programs that run on every rank of an MPI job.

#include <gtest/gtest.h>

#include "comm/mpi_communicator.hpp"

namespace strake::test {

/// Of all ranks; while tests run.
inline comm::Communicator* world = nullptr;

/// Who calls `Communicator::leave`.
enum class Leaving : unsigned char { after_tests, within_tests };

/// One rank tells how it goes; the others speak up only about what failed. The launcher fails if any rank does.
inline int run_on_all_ranks(int argc, char** argv, Leaving leaving = Leaving::after_tests) {
  comm::MpiSession mpi(argc, argv);
  const auto communicator = comm::make_mpi_communicator();
  world = communicator.get();
  GTEST_FLAG_SET(brief, communicator->rank() != 0);
  testing::InitGoogleTest(&argc, argv);
  const int outcome = RUN_ALL_TESTS();
  return leaving == Leaving::after_tests ? communicator->leave(outcome) : outcome;
}

}  // namespace strake::test

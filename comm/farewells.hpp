// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How the ranks of an MPI job part when one of them cannot go on.

#include <chrono>
#include <optional>

#include "comm/mpi_handles.hpp"

namespace strake::comm {

/// Every rank tells every other with which exit code it leaves, and all end MPI in order. MPI_Abort would do without
/// their help, but ranks that abort while they were waiting leave Open MPI's launcher hanging now and then.
class Farewells {
 public:
  /// Collective.
  Farewells(int rank, int size);

  /// Local. @throws JobEnded if another rank has left because it could not go on
  void look();

  /// Says farewell to all others and waits for theirs: as long as it takes while everybody is well, and `timeout` from
  /// when somebody is not. The exit code of the first that could not go on, else 0; empty where not all have answered,
  /// so that MPI cannot be finalised.
  [[nodiscard]] std::optional<int> exchange(int exit_code, std::chrono::nanoseconds timeout);

 private:
  // Takes in the next farewell if one has arrived.
  bool take();

  OwnedComm comm_;
  int rank_;
  int size_;
  int n_missing_;
  int exit_code_ = 0;  // of the first rank that could not go on
};

}  // namespace strake::comm

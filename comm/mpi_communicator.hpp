// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Ranks of an MPI job.

#include <memory>

#include "comm/communicator.hpp"

namespace strake::comm {

/// MPI between construction and destruction, for one thread that makes all calls. Does nothing where MPI runs already.
class MpiSession {
 public:
  MpiSession(int& argc, char**& argv);
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  ~MpiSession();

 private:
  bool started_ = false;
};

/// All ranks of the job, on duplicates of MPI_COMM_WORLD that return errors instead of ending the process. Collective.
/// Must be gone before the session is.
[[nodiscard]] std::unique_ptr<Communicator> make_mpi_communicator();

}  // namespace strake::comm

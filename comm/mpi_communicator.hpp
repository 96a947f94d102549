// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Ranks of an MPI job.

#include <memory>
#include <string>

#include "comm/communicator.hpp"

namespace strake::comm {

/// Whether a launcher as mpirun started this process. Without one there is no need to start MPI, which costs a tenth of
/// a second. Under a simulation always.
[[nodiscard]] bool launched_by_mpi();

/// Whether MPI runs, and whether the program around us started it, which decides from which threads it may be called.
enum class MpiState : unsigned char { not_started, ours, theirs_for_one_thread, theirs_for_any_thread, ended };
[[nodiscard]] MpiState mpi_state();

/// Name and version of the MPI library, its first line. May be asked before MPI runs.
[[nodiscard]] std::string mpi_library();

/// MPI between construction and destruction, for one thread that makes all calls. Does nothing where MPI runs already.
class MpiSession {
 public:
  MpiSession(int& argc, char**& argv);
  MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  ~MpiSession();

 private:
  void start(int& argc, char**& argv);

  bool started_ = false;
};

/// All ranks of the job, on duplicates of MPI_COMM_WORLD that return errors instead of ending the process. Collective.
/// Must be gone before the session is.
[[nodiscard]] std::unique_ptr<Communicator> make_mpi_communicator();

}  // namespace strake::comm

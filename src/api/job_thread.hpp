// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The thread that makes all calls of an engine.

#include <functional>
#include <memory>

#include "comm/communicator.hpp"

namespace strake::api {

/// A job that an engine runs on, and the thread that it runs on.
class JobThread {
 public:
  virtual ~JobThread() = default;
  /// Begins `task` on the thread; called once.
  virtual void start(std::function<void(comm::Communicator&)> task) = 0;
  /// Waits until the task is done.
  virtual void join() = 0;
};

/// The ranks of this MPI job, whose MPI is started and ended by one thread that lives as long as the process; or, where
/// no launcher started the process and it has not started MPI, this process alone on a thread of its own.
/// @throws InvalidInput where another engine has the job, MPI was ended, or it may be called from one thread only
[[nodiscard]] std::unique_ptr<JobThread> make_job_thread();

}  // namespace strake::api

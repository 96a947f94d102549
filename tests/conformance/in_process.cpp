// SPDX-License-Identifier: Apache-2.0
#include "conformance/in_process.hpp"

#include <exception>
#include <thread>

#include "comm/thread_communicator.hpp"
#include "conformance/uneven_plan.hpp"
#include "core/errors.hpp"

namespace strake::conformance {

namespace {

Answer run_rank(const Job& job, comm::Communicator& communicator) {
  engine::Session session(communicator, job.settings);
  engine::TensorMap frame = job.inputs;
  session.load([&] {
    Model model = job.load();
    for (const std::string& name : model.bound) frame.erase(name);
    return model;
  });
  Answer answer;
  engine::TensorMap inputs;
  if (session.is_root()) inputs = engine::checked_inputs(session.graph(), std::move(frame));
  Plan plan = job.plan(session);
  if (session.is_root()) {
    check(session.graph(), plan, session.size());
    answer.ranks_with_work = ranks_with_work(session.graph(), plan);
  }
  session.compile(std::move(plan));
  (void)session.run(inputs);
  if (session.is_root()) answer.outputs = session.outputs();
  // Nobody's slabs go away while a neighbour still reads them.
  communicator.barrier(std::chrono::seconds(60));
  return answer;
}

void rethrow_cause(const std::vector<std::exception_ptr>& errors) {
  std::exception_ptr cut_off;
  for (const std::exception_ptr& error : errors) {
    if (!error) continue;
    try {
      std::rethrow_exception(error);
    } catch (const PeerLost&) {
      cut_off = error;
    }
  }
  if (cut_off) std::rethrow_exception(cut_off);
}

}  // namespace

Answer run_in_process(const Job& job, int n_ranks) {
  const auto communicators = comm::make_thread_communicators(n_ranks);
  Answer answer;
  std::vector<std::exception_ptr> errors(communicators.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t rank = 0; rank < communicators.size(); ++rank)
      threads.emplace_back([&, rank] {
        try {
          Answer mine = run_rank(job, *communicators[rank]);
          if (rank == 0) answer = std::move(mine);
        } catch (...) {
          errors[rank] = std::current_exception();
          communicators[rank]->abort(1);
        }
      });
  }
  rethrow_cause(errors);
  return answer;
}

}  // namespace strake::conformance

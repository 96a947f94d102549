// SPDX-License-Identifier: Apache-2.0
#include "comm/farewells.hpp"

#include <vector>

#include "comm/communicator.hpp"
#include "comm/simulation.hpp"

namespace strake::comm {

Farewells::Farewells(int rank, int size) : comm_(duplicate_world()), rank_(rank), size_(size), n_missing_(size - 1) {}

bool Farewells::take() {
  int arrived = 0;
  MPI_Status status;
  if (n_missing_ > 0) check(MPI_Iprobe(MPI_ANY_SOURCE, 0, comm_.get(), &arrived, &status), "MPI_Iprobe");
  if (arrived == 0) return false;
  int exit_code = 0;
  check(MPI_Recv(&exit_code, 1, MPI_INT, status.MPI_SOURCE, 0, comm_.get(), MPI_STATUS_IGNORE), "MPI_Recv",
        status.MPI_SOURCE);
  --n_missing_;
  if (exit_code_ == 0) exit_code_ = exit_code;
  return true;
}

void Farewells::look() {
  if (take() && exit_code_ != 0) throw JobEnded(exit_code_);
}

std::optional<int> Farewells::exchange(int exit_code, std::chrono::nanoseconds timeout) {
  if (exit_code_ == 0) exit_code_ = exit_code;
  std::vector<MPI_Request> sends;
  for (int peer = 0; peer < size_; ++peer) {
    if (peer == rank_) continue;
    sends.push_back(MPI_REQUEST_NULL);
    check(MPI_Isend(&exit_code, 1, MPI_INT, peer, 0, comm_.get(), &sends.back()), "MPI_Isend", peer);
  }
  std::optional<Clock::time_point> end;
  while (true) {
    while (take()) {
    }
    int sent = 0;
    check(MPI_Testall(static_cast<int>(sends.size()), sends.data(), &sent, MPI_STATUSES_IGNORE), "MPI_Testall");
    if (n_missing_ == 0 && sent != 0) return exit_code_;
    if (exit_code_ != 0 && !end) end = Clock::now() + timeout;
    if (end && Clock::now() > *end) return std::nullopt;
    sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace strake::comm

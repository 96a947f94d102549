// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi_redistribution.hpp"

#include <sched.h>

#include <map>
#include <string>

#include "comm/mpi_types.hpp"
#include "core/errors.hpp"

namespace strake::comm {

namespace {

using Clock = std::chrono::steady_clock;

// Several boxes of one tensor may go to one peer. Each has a tag of its own: MPI keeps the order of messages with equal
// tags by when they were started, which MPI_Startall leaves open.
constexpr int messages_per_pair = 64;

// Halos come within microseconds; after this long somebody is still computing, and this core may be his.
constexpr auto spin_time = std::chrono::microseconds(50);

int nth_tag(int tag, std::map<int, int>& count, int peer) {
  const int place = count[peer]++;
  ensure(place < messages_per_pair, "a tensor travels between two ranks in fewer than 64 pieces");
  return tag * messages_per_pair + place;
}

}  // namespace

void MpiRedistribution::add(Side& side, const Message& message) {
  side.peers.push_back(message.peer);
  side.types.push_back(type_of(message.view));
  side.requests.push_back(MPI_REQUEST_NULL);
  side.n_bytes += dense_bytes(message.view.box, message.view.type);
}

MpiRedistribution::MpiRedistribution(MPI_Comm comm, int tag, std::vector<Message> sends,
                                     std::vector<Message> receives) {
  std::map<int, int> sent;
  for (const Message& message : sends) {
    if (message.view.box.empty()) continue;
    add(sends_, message);
    check(MPI_Send_init(message.view.data, 1, sends_.types.back().get(), message.peer, nth_tag(tag, sent, message.peer),
                        comm, &sends_.requests.back()),
          "MPI_Send_init", message.peer);
  }
  std::map<int, int> received;
  for (const Message& message : receives) {
    if (message.view.box.empty()) continue;
    add(receives_, message);
    check(MPI_Recv_init(message.view.data, 1, receives_.types.back().get(), message.peer,
                        nth_tag(tag, received, message.peer), comm, &receives_.requests.back()),
          "MPI_Recv_init", message.peer);
  }
}

MpiRedistribution::~MpiRedistribution() {
  free(sends_);
  free(receives_);
}

void MpiRedistribution::free(Side& side) noexcept {
  if (!mpi_is_running()) return;
  for (MPI_Request& request : side.requests)
    if (request != MPI_REQUEST_NULL) MPI_Request_free(&request);
}

void MpiRedistribution::start(Side& side) {
  if (side.requests.empty()) return;
  check(MPI_Startall(static_cast<int>(side.requests.size()), side.requests.data()), "MPI_Startall", side.peers.front());
}

void MpiRedistribution::start() {
  start(receives_);
  start(sends_);
}

bool MpiRedistribution::test(Side& side) {
  if (side.requests.empty()) return true;
  int done = 0;
  check(MPI_Testall(static_cast<int>(side.requests.size()), side.requests.data(), &done, MPI_STATUSES_IGNORE),
        "MPI_Testall", side.peers.size() == 1 ? side.peers.front() : -1);
  return done != 0;
}

bool MpiRedistribution::poke() {
  (void)test(sends_);
  return test(receives_);
}

void MpiRedistribution::finish(Side& side, const char* what, std::chrono::nanoseconds timeout) {
  if (test(side)) return;
  const Clock::time_point begin = Clock::now();
  while (!test(side)) {
    const auto waited = Clock::now() - begin;
    if (waited > spin_time) sched_yield();
    if (waited <= timeout) continue;
    std::string silent;
    for (std::size_t i = 0; i < side.requests.size(); ++i) {
      int done = 0;
      check(MPI_Test(&side.requests[i], &done, MPI_STATUS_IGNORE), "MPI_Test", side.peers[i]);
      if (done == 0) silent += (silent.empty() ? "" : ", ") + std::to_string(side.peers[i]);
    }
    if (silent.empty()) return;
    throw PeerLost(std::string(what) + " took longer than " +
                   std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count()) +
                   " ms: silent rank " + silent);
  }
}

void MpiRedistribution::finish_receives(std::chrono::nanoseconds timeout) { finish(receives_, "receiving", timeout); }
void MpiRedistribution::finish_sends(std::chrono::nanoseconds timeout) { finish(sends_, "sending", timeout); }

}  // namespace strake::comm

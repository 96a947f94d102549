// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi_redistribution.hpp"

#include <sched.h>

#include <map>
#include <set>

#include "comm/mpi_types.hpp"
#include "comm/silence.hpp"
#include "core/errors.hpp"

namespace strake::comm {

namespace {

using Clock = std::chrono::steady_clock;

// Several boxes of one tensor may go to one peer. Each has a tag of its own: MPI keeps the order of messages with equal
// tags by when they were started, which MPI_Startall leaves open.
constexpr int messages_per_pair = 64;

// Halos come within microseconds; after this long somebody is still computing, and this core may be his.
constexpr auto spin_time = std::chrono::microseconds(50);

int largest_tag() {
  int* largest = nullptr;
  int known = 0;
  check(MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, static_cast<void*>(&largest), &known), "MPI_Comm_get_attr");
  // The standard promises no more than this.
  return known != 0 ? *largest : 32767;
}

int nth_tag(int tag, std::map<int, int>& count, int peer) {
  const int place = count[peer]++;
  ensure(place < messages_per_pair, "a tensor travels between two ranks in at most 64 pieces");
  ensure(tag >= 0 && tag <= (largest_tag() - place) / messages_per_pair, "MPI has a tag for every message");
  return tag * messages_per_pair + place;
}

}  // namespace

void MpiRedistribution::add(Side& side, const Message& message) {
  side.peers.push_back(message.peer);
  side.types.push_back(type_of(message.view));
  side.requests.push_back(MPI_REQUEST_NULL);
  side.statuses.emplace_back();
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
  for (Side* side : {&sends_, &receives_})
    for (MPI_Request& request : side->requests) abandon(request);
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
  const int code =
      MPI_Testall(static_cast<int>(side.requests.size()), side.requests.data(), &done, side.statuses.data());
  // Open MPI reports success where a persistent request has failed; its status tells.
  if (done != 0 || code != MPI_SUCCESS)
    for (std::size_t i = 0; i < side.statuses.size(); ++i)
      if (side.statuses[i].MPI_ERROR != MPI_ERR_PENDING)
        check(side.statuses[i].MPI_ERROR, "MPI_Testall", side.peers[i]);
  check(code, "MPI_Testall");
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
    std::set<int> silent;
    for (std::size_t i = 0; i < side.requests.size(); ++i) {
      int done = 0;
      check(MPI_Test(&side.requests[i], &done, MPI_STATUS_IGNORE), "MPI_Test", side.peers[i]);
      if (done == 0) silent.insert(side.peers[i]);
    }
    if (silent.empty()) return;
    throw silence(what, silent, timeout);
  }
}

void MpiRedistribution::finish_receives(std::chrono::nanoseconds timeout) { finish(receives_, "receiving", timeout); }
void MpiRedistribution::finish_sends(std::chrono::nanoseconds timeout) { finish(sends_, "sending", timeout); }

}  // namespace strake::comm

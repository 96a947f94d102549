// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi_redistribution.hpp"

#include <sched.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include "comm/mpi_types.hpp"
#include "comm/rounded_box.hpp"
#include "comm/silence.hpp"
#include "comm/simulation.hpp"
#include "core/errors.hpp"

namespace strake::comm {

namespace {

// Pieces leave their sender at once, into memory that both ranks share. More of them would not fit there, and larger
// ones move only while both ranks call MPI, which a rank that computes does not.
#ifdef STRAKE_SMPI
constexpr Index most_pieces = 1;  // each would get a share of the network, as if it had a connection of its own
#else
constexpr Index most_pieces = 64;
#endif

// Several boxes of one tensor may go to one peer. Each has a tag of its own: MPI keeps the order of messages with equal
// tags by when they were started, which MPI_Startall leaves open.
constexpr int messages_per_pair = 256;

// The view in `most` pieces or fewer, cut along the slowest axis that is long enough. Both sides find the same ones.
std::vector<View> pieces(const View& view, Index most) {
  const auto bytes = static_cast<Index>(dense_bytes(view.box, view.type));
  const Index wanted = std::min((bytes + message_piece_bytes - 1) / message_piece_bytes, most);
  std::vector<std::size_t> axes = canonical_order(view.box.rank());
  if (wanted <= 1 || axes.size() < 2) return {view};
  axes.pop_back();  // channels stay together
  const auto size = [&](std::size_t axis) { return view.box[axis].size(); };
  std::size_t axis = *std::ranges::max_element(axes, {}, size);
  for (const std::size_t slower : axes)
    if (size(slower) >= wanted) {
      axis = slower;
      break;
    }
  const Interval rows = view.box[axis];
  const Index n = std::min(wanted, rows.size());
  std::vector<View> list;
  for (Index i = 0; i < n; ++i) {
    const Interval part{rows.begin + rows.size() * i / n, rows.begin + rows.size() * (i + 1) / n};
    list.push_back(view.window(with_axis(view.box, axis, part)));
  }
  return list;
}

// Halos come within microseconds; after this long somebody is still computing, and this core may be his.
constexpr auto spin_time = std::chrono::microseconds(50);

// Requests are made once and started for every frame. Not so under SimGrid's SMPI (3.32), whose persistent requests
// deadlock or deliver to the wrong place when a sender is ahead of its receiver.
#ifdef STRAKE_SMPI
constexpr bool requests_persist = false;
#else
constexpr bool requests_persist = true;
#endif

// Sends of at most this size, and notes, are new requests in every frame: Open MPI 4.1 copies those out at once, but
// calls a persistent send over only when its receiver has looked, which one that computes does not.
constexpr std::size_t most_bytes_at_once = std::size_t{4} << 10;

// A note of a box that follows as a message of its own.
constexpr std::int64_t follows = -1;

int largest_tag() {
  int* largest = nullptr;
  int known = 0;
  check(MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, static_cast<void*>(&largest), &known), "MPI_Comm_get_attr");
  // The standard promises no more than this.
  return known != 0 ? *largest : 32767;
}

int nth_tag(int tag, std::map<int, int>& count, int peer) {
  const int place = count[peer]++;
  if (place >= messages_per_pair)
    throw InvalidInput("the plan lets a tensor travel in more than " + std::to_string(messages_per_pair) +
                       " pieces between this rank and rank " + std::to_string(peer));
  ensure(tag >= 0 && tag <= (largest_tag() - place) / messages_per_pair, "MPI has a tag for every message");
  return tag * messages_per_pair + place;
}

}  // namespace

MpiRedistribution::Requests::~Requests() {
  for (MPI_Request& request : list) abandon(request);
}

void MpiRedistribution::Requests::add(int peer) {
  peers.push_back(peer);
  list.push_back(MPI_REQUEST_NULL);
  statuses.emplace_back();
}

void MpiRedistribution::Requests::clear() {
  peers.clear();
  list.clear();
  statuses.clear();
}

bool MpiRedistribution::Requests::test() {
  if (list.empty()) return true;
  int done = 0;
  const int code = MPI_Testall(static_cast<int>(list.size()), list.data(), &done, statuses.data());
  // Open MPI reports success where a persistent request has failed; its status tells.
  if (done != 0 || code != MPI_SUCCESS)
    for (std::size_t i = 0; i < statuses.size(); ++i)
      if (statuses[i].MPI_ERROR != MPI_ERR_PENDING) check(statuses[i].MPI_ERROR, "MPI_Testall", peers[i]);
  check(code, "MPI_Testall");
  return done != 0;
}

void MpiRedistribution::Requests::wait() {
  if (list.empty()) return;
  check(MPI_Waitall(static_cast<int>(list.size()), list.data(), statuses.data()), "MPI_Waitall");
}

void MpiRedistribution::Requests::find_silent(std::set<int>& peers_found) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    int done = 0;
    check(MPI_Test(&list[i], &done, MPI_STATUS_IGNORE), "MPI_Test", peers[i]);
    if (done == 0) peers_found.insert(peers[i]);
  }
}

MpiRedistribution::MpiRedistribution(MPI_Comm comm, int tag, std::vector<Message> sends, std::vector<Message> receives,
                                     Farewells& farewells, HostMemory& memory)
    : comm_(comm), farewells_(&farewells), memory_(&memory) {
  receives_.direction = Direction::in;
  for (const auto& [side, messages] : {std::pair{&sends_, &sends}, std::pair{&receives_, &receives}}) {
    std::map<int, Index> boxes;
    for (const Message& message : *messages) ++boxes[message.peer];
    std::map<int, int> count;
    for (const Message& message : *messages) {
      if (message.view.box.empty()) continue;
      const Index most = std::clamp<Index>(messages_per_pair / boxes[message.peer], 1, most_pieces);
      for (const View& view : pieces(wire_view(*side, message), most))
        add(*side, message.peer, view, nth_tag(tag, count, message.peer));
    }
    for (std::size_t i = 0; i < side->views.size(); ++i)
      if (side->persists[i]) open(*side, i);
  }
}

MpiRedistribution::~MpiRedistribution() {
  // While an error is on its way out, sends under way may still read what was rounded.
  static std::vector<Rounded> kept;
  if (std::uncaught_exceptions() > 0) std::ranges::move(sends_.rounded, std::back_inserter(kept));
  for (const Shared& shared : sends_.shared)
    if (shared.place) memory_->give_back(*shared.place);
}

// What MPI is given of a message. Rounded cells are a column of bytes, so that pieces of them are rows.
View MpiRedistribution::wire_view(Side& side, const Message& message) {
  if (message.type == TransferType::f32) return message.view;
  ensure(message.view.type == ElementType::f32, "only f32 cells are rounded");
  const std::size_t n_bytes = message.n_bytes();
  side.rounded.push_back({message.view, message.type, Blob::allocate(n_bytes)});
  return dense_view(whole({static_cast<Index>(n_bytes), 1}), ElementType::u8, side.rounded.back().bytes.data());
}

void MpiRedistribution::add(Side& side, int peer, const View& view, int tag) {
  const std::size_t n_bytes = dense_bytes(view.box, view.type);
  const bool is_note = memory_->carries(peer, n_bytes);
  const bool at_once = side.direction == Direction::out && (is_note || n_bytes <= most_bytes_at_once);
  side.persists.push_back(requests_persist && !at_once);
  if (is_note) {
    Shared& shared = side.shared.emplace_back();
    shared.i = side.views.size();
    if (side.direction == Direction::out) shared.place = memory_->take_place(n_bytes);
  }
  side.views.push_back(view);
  side.tags.push_back(tag);
  side.types.push_back(type_of(view));
  side.messages.add(peer);
  side.n_bytes += n_bytes;
}

// Makes a request of message `i`: for every frame, or under way already.
void MpiRedistribution::post(const Side& side, std::size_t i, bool persistent, void* data, MPI_Datatype type,
                             MPI_Request& request) {
  const int peer = side.messages.peers[i];
  const auto call = [&](auto* function, const char* name) {
    check(function(data, 1, type, peer, side.tags[i], comm_, &request), name, peer);
  };
  const bool out = side.direction == Direction::out;
  if (persistent)
    out ? call(MPI_Send_init, "MPI_Send_init") : call(MPI_Recv_init, "MPI_Recv_init");
  else
    out ? call(MPI_Isend, "MPI_Isend") : call(MPI_Irecv, "MPI_Irecv");
}

void MpiRedistribution::open(Side& side, std::size_t i) {
  const auto note = std::ranges::find(side.shared, i, &Shared::i);
  const bool is_note = note != side.shared.end();
  post(side, i, side.persists[i] != 0, is_note ? static_cast<void*>(&note->note) : side.views[i].data,
       is_note ? MPI_INT64_T : side.types[i].get(), side.messages.list[i]);
}

// Sends or receives a box itself, after its note.
void MpiRedistribution::follow(Side& side, std::size_t i) {
  side.followers.add(side.messages.peers[i]);
  post(side, i, false, side.views[i].data, side.types[i].get(), side.followers.list.back());
}

void MpiRedistribution::start(Side& side) {
  for (std::size_t i = 0; i < side.views.size(); ++i)
    if (side.persists[i])
      check(MPI_Start(&side.messages.list[i]), "MPI_Start", side.messages.peers[i]);
    else
      open(side, i);
}

void MpiRedistribution::write_shared() {
  for (Shared& shared : sends_.shared) {
    const bool written = shared.place && memory_->write(*shared.place, sends_.views[shared.i]);
    shared.note = written ? static_cast<std::int64_t>(*shared.place) : follows;
  }
}

void MpiRedistribution::read_shared() {
  for (const Shared& shared : receives_.shared)
    if (shared.note == follows)
      follow(receives_, shared.i);
    else
      memory_->read(receives_.messages.peers[shared.i], static_cast<std::size_t>(shared.note),
                    receives_.views[shared.i]);
}

void MpiRedistribution::start() {
  receives_.followers.clear();
  receives_.passed = receives_.shared.empty();
  receives_.widened = receives_.rounded.empty();
  start(receives_);
  for (Rounded& one : sends_.rounded) encode(one.box, one.type, one.bytes.data());
  write_shared();
  start(sends_);
  sends_.followers.clear();
  for (const Shared& shared : sends_.shared)
    if (shared.note == follows) follow(sends_, shared.i);
}

// What is shared is read once its notes are there.
void MpiRedistribution::pass(Side& side) {
  if (!side.passed) read_shared();
  side.passed = true;
}

// What came rounded is decoded once it is all there.
void MpiRedistribution::widen(Side& side) {
  if (!side.widened)
    for (const Rounded& one : side.rounded) decode(one.bytes.data(), one.type, one.box);
  side.widened = true;
}

bool MpiRedistribution::test(Side& side) {
  if (!side.messages.test()) return false;
  pass(side);
  if (!side.followers.test()) return false;
  widen(side);
  return true;
}

// Without looking meanwhile, for which a simulation would charge time.
void MpiRedistribution::wait(Side& side) {
  side.messages.wait();
  pass(side);
  side.followers.wait();
  widen(side);
}

bool MpiRedistribution::poke() {
  if (is_simulated()) return false;  // messages progress of themselves
  (void)test(sends_);
  return test(receives_);
}

void MpiRedistribution::finish(Side& side, const char* what, std::chrono::nanoseconds timeout) {
  if (is_simulated()) return wait(side);  // the simulator itself tells when all wait for each other
  if (test(side)) return;
  const Clock::time_point begin = Clock::now();
  while (!test(side)) {
    const auto waited = Clock::now() - begin;
    if (waited > spin_time) {
      farewells_->look();
      sched_yield();
    }
    if (waited <= timeout) continue;
    std::set<int> silent;
    side.messages.find_silent(silent);
    side.followers.find_silent(silent);
    if (!silent.empty()) throw silence(what, silent, timeout);
  }
}

void MpiRedistribution::finish_receives(std::chrono::nanoseconds timeout) { finish(receives_, "receiving", timeout); }
void MpiRedistribution::finish_sends(std::chrono::nanoseconds timeout) { finish(sends_, "sending", timeout); }

}  // namespace strake::comm

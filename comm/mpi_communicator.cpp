// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi_communicator.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "comm/farewells.hpp"
#include "comm/mpi_handles.hpp"
#include "comm/mpi_redistribution.hpp"
#include "comm/silence.hpp"
#include "comm/simulation.hpp"
#include "core/errors.hpp"

namespace strake::comm {

void check(int code, const char* call, int peer) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  std::string message = std::string(call) + " failed";
  if (peer >= 0) message += " with rank " + std::to_string(peer);
  message += ": " + std::string(text, static_cast<std::size_t>(length));
  int error_class = MPI_ERR_OTHER;
  MPI_Error_class(code, &error_class);
  // A transport that breaks down reports these; everything else is a wrong argument of ours.
  if (error_class == MPI_ERR_OTHER || error_class == MPI_ERR_INTERN || error_class == MPI_ERR_UNKNOWN)
    throw PeerLost(message);
  throw Bug("internal error: " + message);
}

bool mpi_is_running() noexcept {
  int initialised = 0;
  int finalised = 0;
  MPI_Initialized(&initialised);
  MPI_Finalized(&finalised);
  return initialised != 0 && finalised == 0;
}

void abandon(MPI_Request& request) noexcept {
  if (request == MPI_REQUEST_NULL || !mpi_is_running()) return;
  int done = 0;
  const bool known = MPI_Request_get_status(request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS;
  // Only what is under way can be withdrawn; to cancel an idle persistent request is an error.
  if (known && done == 0) MPI_Cancel(&request);
  MPI_Request_free(&request);
}

namespace {

std::atomic<bool> started_by_us = false;

// Open MPI copies messages up to 4 kB (64 kB over TCP) into buffers of its own and lets the sender go. Larger ones move
// only while both ranks call MPI, so a halo would wait until its sender has computed the next operator: 0.5 ms instead
// of 10 us. What the user has set stays.
void let_halos_leave_at_once() {
#if defined(OMPI_MAJOR_VERSION)
  const std::string shared_memory = OMPI_MAJOR_VERSION < 5 ? "OMPI_MCA_btl_vader_" : "OMPI_MCA_btl_sm_";
  const auto prefer = [](const std::string& name, const char* value) { (void)setenv(name.c_str(), value, 0); };
  // A little more than a piece of a message: the limit counts headers as well, and rows do not divide evenly.
  const std::string limit = std::to_string(message_piece_bytes + 64 * 1024);
  for (const std::string& transport : {shared_memory, std::string("OMPI_MCA_btl_tcp_")})
    prefer(transport + "eager_limit", limit.c_str());
  // Buffers of that size in steps of two megabytes, as far as they are needed.
  prefer(shared_memory + "free_list_inc", "8");
  prefer(shared_memory + "segment_size", "33554432");
#endif
}

}  // namespace

bool launched_by_mpi() {
  if (is_simulated()) return true;
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"})
    if (std::getenv(name) != nullptr) return true;
  return false;
}

std::string mpi_library() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  check(MPI_Get_library_version(text, &length), "MPI_Get_library_version");
  const std::string_view all(text);
  return std::string(all.substr(0, all.find('\n')));
}

MpiState mpi_state() {
  int initialised = 0;
  int finalised = 0;
  MPI_Initialized(&initialised);
  MPI_Finalized(&finalised);
  if (finalised != 0) return MpiState::ended;
  if (initialised == 0) return MpiState::not_started;
  if (started_by_us) return MpiState::ours;
  int provided = MPI_THREAD_SINGLE;
  MPI_Query_thread(&provided);
  return provided >= MPI_THREAD_SERIALIZED ? MpiState::theirs_for_any_thread : MpiState::theirs_for_one_thread;
}

MpiSession::MpiSession() {
  int argc = 0;
  char** argv = nullptr;
  start(argc, argv);
}

MpiSession::MpiSession(int& argc, char**& argv) { start(argc, argv); }

void MpiSession::start(int& argc, char**& argv) {
  int initialised = 0;
  MPI_Initialized(&initialised);
  if (initialised != 0) return;
  let_halos_leave_at_once();
  int provided = 0;
  check(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  started_ = true;
  started_by_us = true;
}

MpiSession::~MpiSession() {
  if (started_ && mpi_is_running()) MPI_Finalize();
}

OwnedComm duplicate_world() {
  OwnedComm copy;
  check(MPI_Comm_dup(MPI_COMM_WORLD, copy.out()), "MPI_Comm_dup");
  // MPI aborts the process by default, and then no check would ever run.
  check(MPI_Comm_set_errhandler(copy.get(), MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  return copy;
}

namespace {

// Longer than any kernel takes, short enough for whoever waits for the prompt.
constexpr auto leaving_time = std::chrono::seconds(3);

constexpr int control_tag = 1;
// Lengths are ints in MPI.
constexpr std::size_t chunk_bytes = std::size_t{1} << 30;

// Asleep between looks, so that the core belongs to ranks that compute. A message that is on its way comes within
// microseconds, one that somebody still has to compute does not.
class Nap {
 public:
  explicit Nap(Timeout timeout) : timeout_(timeout) {}
  /// False, at once, when the time is over.
  [[nodiscard]] bool take() {
    if (Clock::now() - begin_ > timeout_) return false;
    sleep_for(length_);
    // A simulation takes time for each look.
    length_ = std::min<std::chrono::microseconds>(length_ * 2, std::chrono::milliseconds(is_simulated() ? 16 : 1));
    return true;
  }

 private:
  Clock::time_point begin_ = Clock::now();
  Timeout timeout_;
  std::chrono::microseconds length_{10};
};

class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator()
      : control_(duplicate_world()),
        data_(duplicate_world()),
        rank_(rank_in(control_)),
        size_(size_of_group(control_)),
        farewells_(rank_, size_),
        memory_(rank_, size_) {
    char name[MPI_MAX_PROCESSOR_NAME] = {};
    int length = 0;
    check(MPI_Get_processor_name(name, &length), "MPI_Get_processor_name");
    host_.assign(name, static_cast<std::size_t>(length));
    std::vector<char> names(static_cast<std::size_t>(size_) * sizeof(name));
    check(MPI_Allgather(name, sizeof(name), MPI_CHAR, names.data(), sizeof(name), MPI_CHAR, control_.get()),
          "MPI_Allgather");
    for (std::size_t begin = 0; begin < names.size(); begin += sizeof(name))
      shares_host_.push_back(host_ == names.data() + begin);
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }
  [[nodiscard]] std::string host() const override { return host_; }
  [[nodiscard]] bool shares_host(int peer) const override { return shares_host_[static_cast<std::size_t>(peer)]; }

  void send(std::span<const std::byte> bytes, int dst, Timeout timeout) override {
    const std::uint64_t length = bytes.size();
    send_chunk({reinterpret_cast<const std::byte*>(&length), sizeof(length)}, dst, timeout);
    for (std::size_t begin = 0; begin < bytes.size(); begin += chunk_bytes)
      send_chunk(bytes.subspan(begin, std::min(chunk_bytes, bytes.size() - begin)), dst, timeout);
  }

  Bytes receive(int src, Timeout timeout) override {
    std::uint64_t length = 0;
    receive_chunk({reinterpret_cast<std::byte*>(&length), sizeof(length)}, src, timeout);
    Bytes bytes(length);
    for (std::size_t begin = 0; begin < bytes.size(); begin += chunk_bytes)
      receive_chunk(std::span(bytes).subspan(begin, std::min(chunk_bytes, bytes.size() - begin)), src, timeout);
    return bytes;
  }

  std::unique_ptr<Redistribution> redistribution(int tag, std::vector<Message> sends,
                                                 std::vector<Message> receives) override {
    return std::make_unique<MpiRedistribution>(data_.get(), tag, std::move(sends), std::move(receives), farewells_,
                                               memory_);
  }

  int leave(int exit_code) override {
    const std::optional<int> agreed = farewells_.exchange(exit_code, leaving_time);
    if (!agreed) abort(exit_code);
    return agreed.value_or(exit_code);
  }

  void look_for_leavers() override { farewells_.look(); }

  void abort(int exit_code) override { MPI_Abort(MPI_COMM_WORLD, exit_code); }

 private:
  void send_chunk(std::span<const std::byte> bytes, int dst, Timeout timeout) {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Isend(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, dst, control_tag, control_.get(), &request),
          "MPI_Isend", dst);
    wait(request, "sending", dst, timeout);
  }

  void receive_chunk(std::span<std::byte> bytes, int src, Timeout timeout) {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Irecv(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, src, control_tag, control_.get(), &request),
          "MPI_Irecv", src);
    wait(request, "receiving", src, timeout);
  }

  static int rank_in(const OwnedComm& comm) {
    int rank = 0;
    check(MPI_Comm_rank(comm.get(), &rank), "MPI_Comm_rank");
    return rank;
  }

  static int size_of_group(const OwnedComm& comm) {
    int size = 0;
    check(MPI_Comm_size(comm.get(), &size), "MPI_Comm_size");
    return size;
  }

  void wait(MPI_Request& request, const char* what, int peer, Timeout timeout) {
    Nap nap(timeout);
    int done = 0;
    while (true) {
      check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test", peer);
      if (done != 0) return;
      try {
        farewells_.look();
        if (!nap.take()) throw silence(what, {peer}, timeout);
      } catch (...) {
        abandon(request);
        throw;
      }
    }
  }

  OwnedComm control_;
  OwnedComm data_;
  int rank_;
  int size_;
  Farewells farewells_;
  HostMemory memory_;
  std::string host_;
  std::vector<bool> shares_host_;  // [rank]
};

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator() { return std::make_unique<MpiCommunicator>(); }

}  // namespace strake::comm

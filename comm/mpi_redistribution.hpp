// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Persistent requests over derived datatypes that point into the tensors, or over notes that tell where in the host's
/// shared memory a box lies. Boxes that travel in fewer bytes are rounded into memory of their own first.

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <vector>

#include "comm/farewells.hpp"
#include "comm/host_memory.hpp"
#include "comm/mpi_handles.hpp"
#include "comm/redistribution.hpp"
#include "core/blob.hpp"

namespace strake::comm {

/// Longer messages travel in pieces of about this size.
constexpr Index message_piece_bytes = Index{256} << 10;

class MpiRedistribution final : public Redistribution {
 public:
  /// Local. `comm`, `farewells` and `memory` must outlive this; the k-th message between two ranks has the same place
  /// on both sides.
  /// @throws Bug if this MPI has no tag for a message, or for arguments that MPI refuses
  MpiRedistribution(MPI_Comm comm, int tag, std::vector<Message> sends, std::vector<Message> receives,
                    Farewells& farewells, HostMemory& memory);
  /// Withdraws receives that are still open; sends under way may still read their memory.
  ~MpiRedistribution() override;

  void start() override;
  bool poke() override;
  void finish_receives(std::chrono::nanoseconds timeout) override;
  void finish_sends(std::chrono::nanoseconds timeout) override;
  [[nodiscard]] std::size_t sent_bytes() const override { return sends_.n_bytes; }
  [[nodiscard]] std::size_t received_bytes() const override { return receives_.n_bytes; }

 private:
  enum class Direction : unsigned char { out, in };

  // What MPI is asked to wait for.
  struct Requests {
    std::vector<int> peers;
    std::vector<MPI_Request> list;
    std::vector<MPI_Status> statuses;

    Requests() = default;
    Requests(const Requests&) = delete;
    Requests& operator=(const Requests&) = delete;
    ~Requests();

    void add(int peer);
    void clear();
    // Lets them progress; whether all are done.
    [[nodiscard]] bool test();
    void wait();
    void find_silent(std::set<int>& peers_found);
  };

  // A box that passes through the host's memory: message `i` is a note of where it lies.
  struct Shared {
    std::size_t i = 0;
    std::optional<std::size_t> place;  // of what this rank sends, if it has one
    std::int64_t note = 0;             // in the sender's part; or `follows`
  };

  // A box of f32 cells that travels in fewer bytes, and these.
  struct Rounded {
    View box;
    TransferType type = TransferType::bf16;
    Blob bytes;
  };

  // Messages of one direction.
  struct Side {
    Direction direction = Direction::out;
    std::vector<View> views;  // of what travels
    std::vector<Rounded> rounded;
    std::vector<int> tags;
    std::vector<OwnedType> types;
    std::vector<char> persists;  // whether a message is one request for all frames
    std::deque<Shared> shared;   // notes must stay where they are
    Requests messages;
    Requests followers;   // boxes whose place was still being read, or that got none: they follow their notes
    bool passed = true;   // what is shared has been written or read
    bool widened = true;  // what came rounded stands in its tensor
    std::size_t n_bytes = 0;
  };

  [[nodiscard]] static View wire_view(Side& side, const Message& message);
  void add(Side& side, int peer, const View& view, int tag);
  void open(Side& side, std::size_t i);
  void follow(Side& side, std::size_t i);
  void post(const Side& side, std::size_t i, bool persistent, void* data, MPI_Datatype type, MPI_Request& request);
  void start(Side& side);
  void write_shared();
  void read_shared();
  [[nodiscard]] bool test(Side& side);
  void pass(Side& side);
  void widen(Side& side);
  void wait(Side& side);
  void finish(Side& side, const char* what, std::chrono::nanoseconds timeout);

  MPI_Comm comm_;
  Farewells* farewells_;
  HostMemory* memory_;
  Side sends_;
  Side receives_;
};

}  // namespace strake::comm

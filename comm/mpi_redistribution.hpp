// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Persistent requests over derived datatypes that point into the tensors.

#include <vector>

#include "comm/farewells.hpp"
#include "comm/mpi_handles.hpp"
#include "comm/redistribution.hpp"

namespace strake::comm {

/// Longer messages travel in pieces of about this size.
constexpr Index message_piece_bytes = Index{256} << 10;

class MpiRedistribution final : public Redistribution {
 public:
  /// Local. `comm` and `farewells` must outlive this; the k-th message between two ranks has the same place on both
  /// sides.
  /// @throws Bug if this MPI has no tag for a message, or for arguments that MPI refuses
  MpiRedistribution(MPI_Comm comm, int tag, std::vector<Message> sends, std::vector<Message> receives,
                    Farewells& farewells);
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

  // Messages of one direction.
  struct Side {
    Direction direction = Direction::out;
    std::vector<std::byte*> data;
    std::vector<int> peers;
    std::vector<int> tags;
    std::vector<OwnedType> types;
    std::vector<MPI_Request> requests;
    std::vector<MPI_Status> statuses;
    std::size_t n_bytes = 0;
  };

  static void add(Side& side, const Message& message, int tag);
  void open(Side& side, std::size_t i);
  void start(Side& side);
  [[nodiscard]] static bool test(Side& side);
  void finish(Side& side, const char* what, std::chrono::nanoseconds timeout);

  MPI_Comm comm_;
  Farewells* farewells_;
  Side sends_;
  Side receives_;
};

}  // namespace strake::comm

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Persistent requests over derived datatypes that point into the tensors.

#include <vector>

#include "comm/mpi_handles.hpp"
#include "comm/redistribution.hpp"

namespace strake::comm {

class MpiRedistribution final : public Redistribution {
 public:
  /// Local. `comm` must outlive this; the k-th message between two ranks has the same place on both sides.
  /// @throws Bug if this MPI has no tag for a message, or for arguments that MPI refuses
  MpiRedistribution(MPI_Comm comm, int tag, std::vector<Message> sends, std::vector<Message> receives);
  /// Withdraws receives that are still open; sends under way may still read their memory.
  ~MpiRedistribution() override;

  void start() override;
  bool poke() override;
  void finish_receives(std::chrono::nanoseconds timeout) override;
  void finish_sends(std::chrono::nanoseconds timeout) override;
  [[nodiscard]] std::size_t sent_bytes() const override { return sends_.n_bytes; }
  [[nodiscard]] std::size_t received_bytes() const override { return receives_.n_bytes; }

 private:
  // Messages of one direction.
  struct Side {
    std::vector<int> peers;
    std::vector<OwnedType> types;
    std::vector<MPI_Request> requests;
    std::vector<MPI_Status> statuses;
    std::size_t n_bytes = 0;
  };

  static void add(Side& side, const Message& message);
  static void start(Side& side);
  [[nodiscard]] static bool test(Side& side);
  static void finish(Side& side, const char* what, std::chrono::nanoseconds timeout);

  Side sends_;
  Side receives_;
};

}  // namespace strake::comm

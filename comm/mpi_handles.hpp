// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Owners of MPI's handles, and checks of its return codes.

#include <mpi.h>

#include "core/unique_handle.hpp"

namespace strake::comm {

/// @throws PeerLost for codes that mean a lost process, InvalidInput never; everything else is a Bug. The message names
///         the call, the peer (-1 for none) and MPI's own text.
void check(int code, const char* call, int peer = -1);

/// True between MPI_Init and MPI_Finalize: handles are only freed then.
[[nodiscard]] bool mpi_is_running() noexcept;

struct CommTraits {
  using Handle = MPI_Comm;
  static Handle null() noexcept { return MPI_COMM_NULL; }
  static void destroy(Handle comm) noexcept {
    if (mpi_is_running()) MPI_Comm_free(&comm);
  }
};
using OwnedComm = UniqueHandle<CommTraits>;

/// A communicator of all ranks that returns errors instead of ending the process. Collective.
[[nodiscard]] OwnedComm duplicate_world();

struct TypeTraits {
  using Handle = MPI_Datatype;
  static Handle null() noexcept { return MPI_DATATYPE_NULL; }
  static void destroy(Handle type) noexcept {
    if (mpi_is_running()) MPI_Type_free(&type);
  }
};
using OwnedType = UniqueHandle<TypeTraits>;

/// Frees a request, persistent or not, whatever its state, and sets it to MPI_REQUEST_NULL. A receive that nobody has
/// answered is withdrawn, so that its memory may go; what is under way to a peer is not called back.
void abandon(MPI_Request& request) noexcept;

}  // namespace strake::comm

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Memory that the ranks of one host share: boxes between them pass through it, past the caches.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "comm/host_file.hpp"
#include "core/view.hpp"

namespace strake::comm {

/// Every rank has a part that it alone writes boxes into and all ranks of its host read from.
class HostMemory {
 public:
  /// Collective over MPI_COMM_WORLD. Where the system has no memory to share, ranks share none.
  HostMemory(int rank, int size);
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;
  ~HostMemory();

  /// Whether boxes of this size pass between this rank and that one in shared memory; both ranks answer alike. Local.
  [[nodiscard]] bool carries(int peer, std::size_t n_bytes) const;

  /// A place for a box of this rank, as an offset; none while there is no room. Local.
  [[nodiscard]] std::optional<std::size_t> take_place(std::size_t n_bytes);
  /// Ends the use of a place; it is taken again once its last box has been read. Local.
  void give_back(std::size_t place);

  /// Writes the cells of `box` to a place of this rank, in canonical order. False, with nothing written, when the box
  /// before it has not been read yet. The reader learns of it by a message of MPI. Local.
  [[nodiscard]] bool write(std::size_t place, const View& box);
  /// Copies what `peer` wrote to its place into the cells of `box`, and lets it write there again. Local.
  void read(int peer, std::size_t place, const View& box);

 private:
  // What stands before the cells of a box. Only the reader writes to it: its line need not travel before a message may.
  struct Header {
    std::atomic<std::uint32_t> n_read;
  };
  struct Place {
    std::size_t end = 0;
    std::uint32_t n_written = 0;
    bool given_back = false;
  };
  void unmap() noexcept;
  [[nodiscard]] std::byte* at(int rank, std::size_t place) const;
  // Whether everything that was written there has been read.
  [[nodiscard]] bool is_read(std::size_t place) const;

  int rank_;
  HostFile mine_;                        // the part of this rank
  std::vector<std::byte*> parts_;        // [rank]; null where nothing is shared
  std::map<std::size_t, Place> places_;  // of this rank, by offset
};

}  // namespace strake::comm

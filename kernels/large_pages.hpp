// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Memory that every frame streams through, on pages of two megabytes where the system has them. What ranks of a host
/// share later (see comm/equal_pages.hpp) leaves them.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/blob.hpp"

namespace strake::kernels {

/// Uninitialised memory; on pages of its own, aligned to a large one, where it is at least as long.
[[nodiscard]] Blob on_large_pages(std::size_t n_bytes);

/// Puts many small blobs side by side on large pages. A page goes when the pool and all blobs on it are gone.
class LargePages {
 public:
  /// Uninitialised memory, aligned to 64 bytes; long blobs have pages of the system of their own.
  [[nodiscard]] Blob allocate(std::size_t n_bytes);

  /// The pages of all long blobs, also of those that are gone: nobody gets their pages again while the pool lives.
  [[nodiscard]] const std::vector<std::span<std::byte>>& whole_pages() const { return whole_pages_; }

 private:
  struct Region {
    Blob memory;
    std::size_t used = 0;  // bytes
  };
  std::vector<Region> regions_;
  std::vector<std::span<std::byte>> whole_pages_;
};

}  // namespace strake::kernels

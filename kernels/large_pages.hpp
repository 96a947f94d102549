// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Memory that every frame streams through, on pages of two megabytes where the system has them.

#include <cstddef>
#include <memory>
#include <vector>

#include "core/blob.hpp"

namespace strake::kernels {

/// Uninitialised memory on pages of its own, aligned to one where it is at least as long.
[[nodiscard]] Blob on_large_pages(std::size_t n_bytes);

/// Puts many small blobs side by side on large pages. A page goes when the pool and all blobs on it are gone.
class LargePages {
 public:
  /// Uninitialised memory, aligned to 64 bytes.
  [[nodiscard]] Blob allocate(std::size_t n_bytes);

 private:
  struct Region {
    Blob memory;
    std::size_t used = 0;  // bytes
  };
  std::vector<Region> regions_;
};

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Scratch memory that all kernels of one program share, since they run one after the other.

#include <cstddef>

#include "kernels/large_pages.hpp"

namespace strake::kernels {

/// Kernels reserve while they are prepared and ask for the address when they run: it may move until the last
/// preparation.
class Workspace {
 public:
  /// Makes the workspace at least `n_bytes` large. Its contents are lost.
  void reserve(std::size_t n_bytes) {
    if (n_bytes > memory_.size_bytes()) memory_ = on_large_pages(n_bytes);
  }
  /// Aligned to 64 bytes; null while nothing was reserved.
  [[nodiscard]] std::byte* data() { return memory_.data(); }
  [[nodiscard]] std::size_t size_bytes() const { return memory_.size_bytes(); }

 private:
  Blob memory_;
};

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One block of memory for all activations of a program, shared by buffers that are never alive together.

#include <cstddef>
#include <vector>

namespace strake {

/// A buffer and the steps between which it is alive, both included.
struct BufferRequest {
  std::size_t n_bytes = 0;
  int first = 0;
  int last = 0;
};

struct ArenaLayout {
  std::vector<std::size_t> offsets;  // of each request, multiples of 64
  std::size_t n_bytes = 0;           // of the whole arena
  std::size_t liveness_peak = 0;     // most bytes alive at one step: no layout can do with less
};

/// Greedy by size: the largest buffer first, each at the lowest offset where nothing that lives with it lies.
/// Source: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", arXiv:2001.03288.
[[nodiscard]] ArenaLayout lay_out(const std::vector<BufferRequest>& requests);

}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#include "core/arena.hpp"

#include <algorithm>
#include <numeric>

namespace strake {

namespace {

// A cache line, and the widest vector.
constexpr std::size_t alignment = 64;

std::size_t aligned(std::size_t n_bytes) { return (n_bytes + alignment - 1) / alignment * alignment; }

std::size_t peak_of(const std::vector<BufferRequest>& requests) {
  int last = 0;
  for (const BufferRequest& request : requests) last = std::max(last, request.last);
  std::size_t peak = 0;
  for (int step = 0; step <= last; ++step) {
    std::size_t alive = 0;
    for (const BufferRequest& request : requests)
      if (request.first <= step && step <= request.last) alive += aligned(request.n_bytes);
    peak = std::max(peak, alive);
  }
  return peak;
}

}  // namespace

ArenaLayout lay_out(const std::vector<BufferRequest>& requests) {
  ArenaLayout layout{.offsets = std::vector<std::size_t>(requests.size(), 0), .liveness_peak = peak_of(requests)};
  std::vector<std::size_t> by_size(requests.size());
  std::iota(by_size.begin(), by_size.end(), std::size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](std::size_t a, std::size_t b) { return requests[a].n_bytes > requests[b].n_bytes; });

  std::vector<std::size_t> placed;  // sorted by offset
  for (const std::size_t id : by_size) {
    const BufferRequest& request = requests[id];
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      const bool together = requests[other].first <= request.last && request.first <= requests[other].last;
      if (!together) continue;
      if (offset + aligned(request.n_bytes) <= layout.offsets[other]) break;
      offset = std::max(offset, layout.offsets[other] + aligned(requests[other].n_bytes));
    }
    layout.offsets[id] = offset;
    layout.n_bytes = std::max(layout.n_bytes, offset + aligned(request.n_bytes));
    const auto place = std::upper_bound(placed.begin(), placed.end(), offset,
                                        [&](std::size_t at, std::size_t other) { return at < layout.offsets[other]; });
    placed.insert(place, id);
  }
  return layout;
}

}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#include "core/arena.hpp"

#include <gtest/gtest.h>

#include <random>

namespace strake {
namespace {

TEST(Arena, SharesMemoryOfBuffersThatNeverLiveTogether) {
  const ArenaLayout layout = lay_out({{640, 0, 1}, {640, 2, 3}, {640, 1, 2}});
  EXPECT_EQ(layout.n_bytes, 1280U);
  EXPECT_EQ(layout.liveness_peak, 1280U);
  EXPECT_EQ(layout.offsets[0], layout.offsets[1]);
}

TEST(Arena, AlignsEveryBufferToACacheLine) {
  const ArenaLayout layout = lay_out({{1, 0, 5}, {65, 0, 5}, {3, 0, 5}});
  for (const std::size_t offset : layout.offsets) EXPECT_EQ(offset % 64, 0U);
}

TEST(Arena, IsEmptyWithoutBuffers) { EXPECT_EQ(lay_out({}).n_bytes, 0U); }

TEST(Arena, NeverOverlapsBuffersThatLiveTogether) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<BufferRequest> requests(random() % 30 + 1);
    for (BufferRequest& request : requests) {
      request.n_bytes = random() % 5000;
      request.first = static_cast<int>(random() % 20);
      request.last = request.first + static_cast<int>(random() % 8);
    }
    const ArenaLayout layout = lay_out(requests);
    EXPECT_GE(layout.n_bytes, layout.liveness_peak);
    for (std::size_t a = 0; a < requests.size(); ++a)
      for (std::size_t b = 0; b < a; ++b) {
        const bool together = requests[a].first <= requests[b].last && requests[b].first <= requests[a].last;
        const bool apart = layout.offsets[a] + requests[a].n_bytes <= layout.offsets[b] ||
                           layout.offsets[b] + requests[b].n_bytes <= layout.offsets[a];
        EXPECT_TRUE(!together || apart) << "buffers " << a << " and " << b << " of round " << round;
      }
  }
}

}  // namespace
}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
// Copies to and from gapless memory against the plain loop of core.

#include "comm/streamed_copy.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "redistribution_cases.hpp"

namespace strake::test {
namespace {

// Any window, in every layout, to memory that begins anywhere.
TEST(StreamedCopy, WritesAndReadsWhatThePlainLoopDoes) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](Index n) { return static_cast<Index>(random() % static_cast<unsigned>(n)); };
    const Box all = whole({1 + below(2), 8 * (1 + below(5)), 1 + below(9), 1 + below(9)});
    Box box = all;
    for (const std::size_t axis : {std::size_t{0}, std::size_t{2}, std::size_t{3}}) {
      const Index begin = below(all[axis].end);
      box[axis] = {begin, begin + 1 + below(all[axis].end - begin)};
    }
    const int layout = static_cast<int>(seed % 3);
    if (layout < 2) box[1].begin = below(box[1].end);
    Blob source = numbered(all);
    const View view = view_in(layout, all, source).window(box);
    const std::size_t n_bytes = dense_bytes(box, ElementType::f32);
    Blob expected = Blob::allocate(n_bytes);
    copy_box(view, dense_view(box, ElementType::f32, expected.data()), box);

    constexpr std::size_t guard = 128;
    const std::size_t offset = static_cast<std::size_t>(below(16)) * sizeof(float);
    comm::Bytes memory(guard + offset + n_bytes + guard, std::byte{7});
    std::byte* to = memory.data() + guard + offset;
    comm::stream_out(view, to);
    EXPECT_EQ(std::memcmp(to, expected.data(), n_bytes), 0) << "seed " << seed;
    EXPECT_EQ(std::count(memory.begin(), memory.begin() + static_cast<std::ptrdiff_t>(guard + offset), std::byte{7}),
              static_cast<std::ptrdiff_t>(guard + offset));
    EXPECT_EQ(std::count(memory.end() - guard, memory.end(), std::byte{7}), static_cast<std::ptrdiff_t>(guard));

    Blob target = numbered(all);
    const View window = view_in((layout + 1) % 2, all, target).window(box);
    comm::copy_in(to, window);
    Blob read = Blob::allocate(n_bytes);
    copy_box(window, dense_view(box, ElementType::f32, read.data()), box);
    EXPECT_EQ(std::memcmp(read.data(), expected.data(), n_bytes), 0) << "seed " << seed;
  }
}

TEST(StreamedCopy, KnowsTypesOfOtherSizesAndScalars) {
  comm::Bytes source(3 * 5 * 7);
  for (std::size_t i = 0; i < source.size(); ++i) source[i] = static_cast<std::byte>(i);
  Box box = whole({1, 3, 5, 7});
  box[1] = {1, 3};
  box[3] = {2, 7};
  const View view = row_major_view(whole({1, 3, 5, 7}), ElementType::u8, source.data()).window(box);
  comm::Bytes written(50);
  comm::Bytes expected(50);
  comm::stream_out(view, written.data());
  copy_box(view, dense_view(box, ElementType::u8, expected.data()), box);
  EXPECT_EQ(written, expected);

  double value = 2.5;
  double copy = 0;
  comm::stream_out(dense_view(Box{}, ElementType::f64, reinterpret_cast<std::byte*>(&value)),
                   reinterpret_cast<std::byte*>(&copy));
  EXPECT_EQ(copy, 2.5);
}

}  // namespace
}  // namespace strake::test

// SPDX-License-Identifier: Apache-2.0
#include "core/window.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"

namespace strake {
namespace {

using test::pick;
using test::Random;

struct Case {
  WindowAxis window;
  Index src_size;
};

Case random_case(Random& random) {
  Case drawn;
  drawn.window = {.kernel = pick(random, 1, 7),
                  .stride = pick(random, 1, 4),
                  .dilation = pick(random, 1, 3),
                  .pad_begin = pick(random, 0, 6),
                  .pad_end = pick(random, 0, 6)};
  drawn.src_size = pick(random, 1, 31);
  return drawn;
}

std::string text_of(const Case& drawn, int round) {
  const WindowAxis& w = drawn.window;
  return "round " + std::to_string(round) + ": kernel " + std::to_string(w.kernel) + " stride " +
         std::to_string(w.stride) + " dilation " + std::to_string(w.dilation) + " padding " +
         std::to_string(w.pad_begin) + ", " + std::to_string(w.pad_end) + " over " + std::to_string(drawn.src_size);
}

// Rows that one output row touches, tap by tap.
std::vector<Index> taps(const WindowAxis& window, Index dst_row) {
  std::vector<Index> rows;
  for (Index tap = 0; tap < window.kernel; ++tap)
    rows.push_back(dst_row * window.stride - window.pad_begin + tap * window.dilation);
  return rows;
}

TEST(OutputSize, CountsTheWindowsThatFit) {
  Random random(6);
  for (int round = 0; round < 5000; ++round) {
    const Case drawn = random_case(random);
    SCOPED_TRACE("seed 6, " + text_of(drawn, round));
    Index fits = 0;
    while (taps(drawn.window, fits).back() < drawn.src_size + drawn.window.pad_end) ++fits;
    EXPECT_EQ(output_size(drawn.window, drawn.src_size, Rounding::floor), fits);
  }
}

TEST(OutputSize, CeilAddsALastWindowThatBeginsInTheInput) {
  EXPECT_EQ(output_size({.kernel = 3, .stride = 2}, 6, Rounding::floor), 2);
  EXPECT_EQ(output_size({.kernel = 3, .stride = 2}, 6, Rounding::ceil), 3);
  EXPECT_EQ(output_size({.kernel = 3, .stride = 2}, 7, Rounding::ceil), 3);
  EXPECT_EQ(output_size({.kernel = 3, .stride = 2}, 2, Rounding::floor), 0);
  EXPECT_EQ(output_size({.kernel = 3, .stride = 2}, 2, Rounding::ceil), 1);
  // The third window would begin at row 4, behind the input: it does not count.
  EXPECT_EQ(output_size({.kernel = 2, .stride = 2, .pad_end = 1}, 4, Rounding::ceil), 2);
}

TEST(InputInterval, ReachesFromTheFirstTapToTheLast) {
  Random random(7);
  for (int round = 0; round < 5000; ++round) {
    const Case drawn = random_case(random);
    SCOPED_TRACE("seed 7, " + text_of(drawn, round));
    const Index dst_size = output_size(drawn.window, drawn.src_size, Rounding::ceil);
    const Interval dst = test::random_interval(random, dst_size);
    Interval touched;
    for (Index row = dst.begin; row < dst.end; ++row) {
      const std::vector<Index> rows = taps(drawn.window, row);
      // All rows between the first and the last tap are held, also those that strides and dilation jump over.
      touched = hull(touched, Interval{rows.front(), rows.back() + 1});
    }
    EXPECT_EQ(input_interval(drawn.window, dst, drawn.src_size), intersect(touched, Interval{0, drawn.src_size}));
  }
}

TEST(InputInterval, IsEmptyForNothingAndForPaddingOnly) {
  const WindowAxis window{.kernel = 2, .stride = 1, .pad_begin = 4, .pad_end = 4};
  EXPECT_TRUE(input_interval(window, {3, 3}, 5).empty());
  EXPECT_TRUE(input_interval(window, {0, 3}, 5).empty());
  EXPECT_EQ(input_interval(window, {0, 4}, 5), (Interval{0, 1}));
}

TEST(InputInterval, AddsOneRowOnEachInnerSide) {
  const WindowAxis window{.kernel = 3, .stride = 1, .pad_begin = 1, .pad_end = 1};
  EXPECT_EQ(input_interval(window, {4, 8}, 12), (Interval{3, 9}));
  EXPECT_EQ(input_interval(window, {0, 8}, 12), (Interval{0, 9}));
}

TEST(WindowOfSlab, ReadsTheSameRowsFromTheSlab) {
  Random random(8);
  for (int round = 0; round < 5000; ++round) {
    const Case drawn = random_case(random);
    SCOPED_TRACE("seed 8, " + text_of(drawn, round));
    const Interval dst = test::random_interval(random, output_size(drawn.window, drawn.src_size, Rounding::ceil));
    if (dst.empty()) continue;
    // A slab may hold more than is read, for the sake of another reader.
    Interval src = input_interval(drawn.window, dst, drawn.src_size);
    if (src.empty()) continue;
    src = {pick(random, 0, src.begin), pick(random, src.end, drawn.src_size)};
    const WindowAxis slab = window_of_slab(drawn.window, src, dst);
    EXPECT_EQ(output_size(slab, src.size(), Rounding::floor), dst.size());
    for (Index row = dst.begin; row < dst.end; ++row) {
      const std::vector<Index> expected = taps(drawn.window, row);
      const std::vector<Index> found = taps(slab, row - dst.begin);
      for (std::size_t tap = 0; tap < found.size(); ++tap) EXPECT_EQ(found[tap] + src.begin, expected[tap]);
    }
  }
}

}  // namespace
}  // namespace strake

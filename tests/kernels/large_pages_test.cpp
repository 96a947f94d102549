// SPDX-License-Identifier: Apache-2.0
#include "kernels/large_pages.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>

namespace strake::kernels {
namespace {

bool is_aligned(const Blob& blob, std::size_t to) { return reinterpret_cast<std::uintptr_t>(blob.data()) % to == 0; }

void fill(Blob& blob, int value) { std::memset(blob.data(), value, blob.size_bytes()); }

bool holds(const Blob& blob, int value) {
  for (std::size_t i = 0; i < blob.size_bytes(); ++i)
    if (blob.data()[i] != static_cast<std::byte>(value)) return false;
  return true;
}

TEST(LargePages, PutBlobsSideBySide) {
  LargePages pages;
  std::vector<Blob> blobs;
  const std::size_t sizes[] = {1, 63, 64, 65, 100'000, 5'000'000, 9'437'184, 0, 3};
  for (const std::size_t n_bytes : sizes) {
    blobs.push_back(pages.allocate(n_bytes));
    EXPECT_EQ(blobs.back().size_bytes(), n_bytes);
    EXPECT_FALSE(blobs.back().empty());
    EXPECT_TRUE(is_aligned(blobs.back(), 64));
    EXPECT_TRUE(blobs.back().unique());
    fill(blobs.back(), static_cast<int>(blobs.size()));
  }
  for (std::size_t i = 0; i < blobs.size(); ++i) EXPECT_TRUE(holds(blobs[i], static_cast<int>(i) + 1)) << "blob " << i;
}

TEST(LargePages, GiveLongBlobsPagesOfTheirOwn) {
  LargePages pages;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::vector<Blob> blobs;
  for (const std::size_t n_bytes : {std::size_t{100}, std::size_t{70'001}, std::size_t{100}, std::size_t{9'000'000}})
    blobs.push_back(pages.allocate(n_bytes));
  ASSERT_EQ(pages.whole_pages().size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::span<std::byte> span = pages.whole_pages()[i];
    EXPECT_TRUE(is_aligned(blobs[2 * i + 1], page));
    EXPECT_EQ(span.data(), blobs[2 * i + 1].data());
    EXPECT_EQ(span.size(), (blobs[2 * i + 1].size_bytes() + page - 1) / page * page);
    for (const std::size_t other : {0, 2}) {
      const bool beside = blobs[other].data() + 100 <= span.data() || blobs[other].data() >= span.data() + span.size();
      EXPECT_TRUE(beside);
    }
  }
}

TEST(LargePages, LiveAsLongAsTheirBlobs) {
  Blob blob;
  {
    LargePages pages;
    blob = pages.allocate(1000);
    const Blob other = pages.allocate(1000);
    EXPECT_NE(other.data(), blob.data());
  }
  fill(blob, 7);
  EXPECT_TRUE(holds(blob, 7));
}

TEST(LargePages, AlignLongBlobsToPages) {
  Blob blob = on_large_pages(std::size_t{5} << 20);
  EXPECT_TRUE(is_aligned(blob, std::size_t{2} << 20));
  fill(blob, 1);
  EXPECT_TRUE(is_aligned(on_large_pages(10), 64));
}

}  // namespace
}  // namespace strake::kernels

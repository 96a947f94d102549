// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What every transport must do with memory that ranks hold alike.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "comm/equal_pages.hpp"

namespace strake::test {

/// Pages of this process alone, filled with one value.
class OwnPages {
 public:
  OwnPages(std::size_t n_pages, int value)
      : n_bytes_(n_pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE))), value_(static_cast<std::byte>(value)) {
    void* memory = mmap(nullptr, n_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<std::byte*>(memory);
    std::ranges::fill(span(), value_);
  }
  OwnPages(const OwnPages&) = delete;
  OwnPages& operator=(const OwnPages&) = delete;
  ~OwnPages() { munmap(data_, n_bytes_); }

  [[nodiscard]] std::span<std::byte> span() const { return {data_, n_bytes_}; }
  [[nodiscard]] bool unchanged() const {
    return std::ranges::all_of(span(), [this](std::byte byte) { return byte == value_; });
  }
  /// Whether the system says that others see these pages as well.
  [[nodiscard]] bool is_shared() const {
    std::ifstream maps("/proc/self/maps");
    const auto place = reinterpret_cast<std::uintptr_t>(data_);
    for (std::string line; std::getline(maps, line);) {
      std::istringstream words(line);
      std::uintptr_t begin = 0;
      std::uintptr_t end = 0;
      char dash = 0;
      std::string rights;
      words >> std::hex >> begin >> dash >> end >> rights;
      if (begin <= place && place < end) return rights.ends_with('s');
    }
    return false;
  }

 private:
  std::size_t n_bytes_;
  std::byte value_;
  std::byte* data_ = nullptr;
};

/// All ranks on one host: some pages that all hold alike, some that nobody else holds, some that every second rank
/// holds, and some that all but rank 0 hold twice.
inline void check_equal_pages(comm::Communicator& end, comm::Timeout timeout) {
  const int rank = end.rank();
  const int n = end.size();
  const OwnPages all(16, 1);
  const OwnPages mine(16, 100 + rank);
  const OwnPages second(3, rank % 2 == 0 ? 2 : 50 + rank);
  const OwnPages twice(1, rank > 0 ? 3 : 4);
  const OwnPages again(1, rank > 0 ? 3 : 5);
  const std::size_t shared =
      comm::share_equal_pages(end, {twice.span(), mine.span(), second.span(), all.span(), again.span()}, timeout);
  const bool all_share = n > 1;
  const bool second_share = rank % 2 == 0 && n > 2;
  const bool twice_share = rank > 0 && n > 2;
  EXPECT_EQ(all.is_shared(), all_share);
  EXPECT_EQ(second.is_shared(), second_share);
  EXPECT_EQ(twice.is_shared(), twice_share);
  EXPECT_EQ(again.is_shared(), twice_share);
  EXPECT_FALSE(mine.is_shared());
  std::size_t expected = 0;
  for (const auto& [pages, is_shared] :
       {std::pair{&all, all_share}, {&second, second_share}, {&twice, twice_share}, {&again, twice_share}})
    if (is_shared) expected += pages->span().size();
  EXPECT_EQ(shared, expected);
  for (const OwnPages* pages : {&all, &mine, &second, &twice, &again}) EXPECT_TRUE(pages->unchanged());
}

}  // namespace strake::test

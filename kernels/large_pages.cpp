// SPDX-License-Identifier: Apache-2.0
#include "kernels/large_pages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace strake::kernels {

namespace {

constexpr std::size_t page_bytes = std::size_t{2} << 20;
constexpr std::size_t region_bytes = 4 * page_bytes;
constexpr std::size_t alignment = 64;
// From here on a blob is long: what it leaves free of its last page is little.
constexpr std::size_t long_bytes = 64 * 1024;

std::size_t system_page_bytes() {
  static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

std::size_t rounded_up(std::size_t n, std::size_t step) { return (n + step - 1) / step * step; }

}  // namespace

Blob on_large_pages(std::size_t n_bytes) {
  if (n_bytes < page_bytes) return Blob::allocate(n_bytes);
  // Mapped, since pages may only be replaced by others where the allocator does not use them again.
  const std::size_t length = rounded_up(n_bytes, system_page_bytes());
  const std::size_t slack = page_bytes - system_page_bytes();
  void* mapped = mmap(nullptr, length + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw OutOfMemory(n_bytes);
  auto* begin = static_cast<std::byte*>(mapped);
  const std::size_t head = -reinterpret_cast<std::uintptr_t>(begin) % page_bytes;
  if (head > 0) (void)munmap(begin, head);
  if (slack > head) (void)munmap(begin + head + length, slack - head);
  std::byte* data = begin + head;
#ifdef MADV_HUGEPAGE
  // Whole pages only: the last one would take up to two megabytes for a few bytes. Being refused costs speed only.
  (void)madvise(data, n_bytes / page_bytes * page_bytes, MADV_HUGEPAGE);
#endif
  return Blob::adopt(std::shared_ptr<std::byte>(data, [length](std::byte* p) { (void)munmap(p, length); }), n_bytes);
}

Blob LargePages::allocate(std::size_t n_bytes) {
  const std::size_t step = n_bytes < long_bytes ? alignment : system_page_bytes();
  const std::size_t length = rounded_up(std::max<std::size_t>(n_bytes, 1), step);
  const auto begin_in = [step](const Region& one) { return rounded_up(one.used, step); };
  auto region = std::find_if(regions_.begin(), regions_.end(),
                             [&](const Region& one) { return one.memory.size_bytes() >= begin_in(one) + length; });
  if (region == regions_.end()) {
    regions_.push_back({on_large_pages(std::max(rounded_up(length, page_bytes), region_bytes)), 0});
    region = regions_.end() - 1;
  }
  const std::size_t begin = begin_in(*region);
  region->used = begin + length;
  std::byte* data = region->memory.data() + begin;
  if (n_bytes >= long_bytes) whole_pages_.emplace_back(data, length);
  return Blob::adopt(std::shared_ptr<std::byte>(data, [memory = region->memory](std::byte*) {}), n_bytes);
}

}  // namespace strake::kernels

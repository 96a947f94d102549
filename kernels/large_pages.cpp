// SPDX-License-Identifier: Apache-2.0
#include "kernels/large_pages.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace strake::kernels {

namespace {

constexpr std::size_t page_bytes = std::size_t{2} << 20;
constexpr std::size_t region_bytes = 4 * page_bytes;
constexpr std::size_t alignment = 64;

std::size_t rounded_up(std::size_t n, std::size_t step) { return (n + step - 1) / step * step; }

}  // namespace

Blob on_large_pages(std::size_t n_bytes) {
  if (n_bytes < page_bytes) return Blob::allocate(n_bytes);
  constexpr std::align_val_t aligned{page_bytes};
  auto* data = static_cast<std::byte*>(::operator new(n_bytes, aligned, std::nothrow));
  if (data == nullptr) throw OutOfMemory(n_bytes);
  std::shared_ptr<std::byte> owner(data, [](std::byte* p) { ::operator delete (p, std::align_val_t{page_bytes}); });
#ifdef MADV_HUGEPAGE
  // Whole pages only: the last one would take up to two megabytes for a few bytes. Being refused costs speed only.
  (void)madvise(data, n_bytes / page_bytes * page_bytes, MADV_HUGEPAGE);
#endif
  return Blob::adopt(std::move(owner), n_bytes);
}

Blob LargePages::allocate(std::size_t n_bytes) {
  const std::size_t length = rounded_up(std::max<std::size_t>(n_bytes, 1), alignment);
  auto region = std::find_if(regions_.begin(), regions_.end(),
                             [&](const Region& one) { return one.memory.size_bytes() - one.used >= length; });
  if (region == regions_.end()) {
    regions_.push_back({on_large_pages(std::max(rounded_up(length, page_bytes), region_bytes)), 0});
    region = regions_.end() - 1;
  }
  std::byte* data = region->memory.data() + region->used;
  region->used += length;
  return Blob::adopt(std::shared_ptr<std::byte>(data, [memory = region->memory](std::byte*) {}), n_bytes);
}

}  // namespace strake::kernels

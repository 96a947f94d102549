// SPDX-License-Identifier: Apache-2.0
#include "comm/streamed_copy.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "comm/runs.hpp"

namespace strake::comm {

namespace {

constexpr std::size_t line_bytes = 64;

// Stores that go to memory without the line that they write to. A line that another core has read costs an ordinary
// store the time to fetch it back, 25 ns where the cores share no cache, and stores wait for each other.
void stream(const std::byte* from, std::byte* to, std::size_t n) {
#if defined(__SSE2__)
  const std::size_t head = std::min(n, -reinterpret_cast<std::uintptr_t>(to) % line_bytes);
  std::memcpy(to, from, head);
  for (from += head, to += head, n -= head; n >= line_bytes; from += line_bytes, to += line_bytes, n -= line_bytes)
    for (std::size_t i = 0; i < line_bytes; i += sizeof(__m128i))
      _mm_stream_si128(reinterpret_cast<__m128i*>(to + i), _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
#endif
  std::memcpy(to, from, n);
}

}  // namespace

void stream_out(const View& view, std::byte* to) {
  if (view.channel_block > 1) {
    copy_box(view, dense_view(view.box, view.type, to), view.box);
    return;
  }
  for_each_run(view, [&](const std::byte* cells, std::size_t n) {
    stream(cells, to, n);
    to += n;
  });
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

void copy_in(const std::byte* from, const View& view) {
  if (view.channel_block > 1) {
    copy_box(dense_view(view.box, view.type, const_cast<std::byte*>(from)), view, view.box);
    return;
  }
  for_each_run(view, [&](std::byte* cells, std::size_t n) {
    std::memcpy(cells, from, n);
    from += n;
  });
}

}  // namespace strake::comm

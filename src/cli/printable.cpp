// SPDX-License-Identifier: Apache-2.0
#include "cli/printable.hpp"

#include <algorithm>
#include <cstdint>

namespace strake::cli {

namespace {

std::uint32_t byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

// Bytes of the character that begins at `i`; 0 where they are none: stray or missing continuations, longer than need
// be, surrogates, beyond U+10FFFF, and control characters.
std::size_t character_bytes(std::string_view text, std::size_t i) {
  const std::uint32_t first = byte_at(text, i);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  const std::size_t n = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || i + n > text.size()) return 0;
  std::uint32_t code = first & (0x7FU >> n);
  for (std::size_t k = 1; k < n; ++k) {
    if ((byte_at(text, i + k) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte_at(text, i + k) & 0x3F);
  }
  const bool too_long = (n == 3 && code < 0x800) || (n == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  const bool control = code < 0xA0;
  return too_long || surrogate || control || code > 0x10FFFF ? 0 : n;
}

}  // namespace

std::string printable(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t n = text[i] == '\n' || text[i] == '\t' ? 1 : character_bytes(text, i);
    if (n > 0) {
      result += text.substr(i, n);
    } else {
      result += "\\x";
      result += digits[byte_at(text, i) >> 4];
      result += digits[byte_at(text, i) & 15];
    }
    i += std::max<std::size_t>(n, 1);
  }
  return result;
}

std::string one_line(std::string_view text) {
  std::string result = printable(text);
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return result;
}

}  // namespace strake::cli

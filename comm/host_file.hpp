// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Files in memory that processes of one machine open of each other.

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/unique_handle.hpp"

namespace strake::comm {

/// Where another process finds a file, as long as both run on one kernel and count processes alike. Sent as it is.
struct HostFileAddress {
  std::array<char, 40> kernel = {};  // its number since it started
  std::uint64_t process_names = 0;   // the namespace of process numbers; containers have their own
  std::int64_t process = 0;
  std::int64_t descriptor = -1;  // none where there is no file
  std::uint64_t file = 0;        // its serial number: another process of that number does not have it
};

/// Holds a file open. Its memory is free once nobody holds or maps it, however processes end.
class HostFile {
 public:
  /// None.
  HostFile() = default;

  /// A new file of `n_bytes`, which take memory when `reserve` is called or when they are written to; none where the
  /// system or a limit on the size of files refuses it.
  [[nodiscard]] static HostFile create(std::size_t n_bytes);
  /// Another process's file, for reading and writing; none where there is no way to it.
  [[nodiscard]] static HostFile open(const HostFileAddress& address);

  [[nodiscard]] bool exists() const { return descriptor_.get() >= 0; }
  [[nodiscard]] HostFileAddress address() const;

  /// Whether the system has the memory for these bytes, which then are this file's: what is missed here would end the
  /// process when it is written to.
  [[nodiscard]] bool reserve(std::size_t begin, std::size_t n_bytes);

  /// The mapped bytes; null where the system refuses.
  [[nodiscard]] std::byte* map(std::size_t begin, std::size_t n_bytes) const;
  /// Puts bytes of the file in the place of this process's memory at `at`, for reading only. False where the system
  /// refuses; then nothing has changed.
  [[nodiscard]] bool map_over(std::byte* at, std::size_t begin, std::size_t n_bytes) const;

 private:
  struct DescriptorTraits {
    using Handle = int;
    static Handle null() noexcept { return -1; }
    static void destroy(Handle descriptor) noexcept;
  };

  UniqueHandle<DescriptorTraits> descriptor_;
};

}  // namespace strake::comm

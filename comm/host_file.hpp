// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Files in memory that processes of one machine open of each other.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/unique_handle.hpp"

namespace strake::comm {

/// Where another process finds a file, as long as both run on one kernel and count processes alike. Sent as it is.
struct HostFileAddress {
  std::array<char, 40> kernel = {};  // its number since it started
  std::uint64_t process_names = 0;   // the namespace of process numbers; containers have their own
  std::int64_t process = 0;
  std::int64_t descriptor = -1;  // none where there is no file
  std::uint64_t device = 0;      // with `file`: another process of that number does not have it
  std::uint64_t file = 0;
  std::uint64_t n_bytes = 0;

  /// Whether processes there and here can open each other's files at all.
  [[nodiscard]] bool is_near(const HostFileAddress& other) const {
    return kernel == other.kernel && process_names == other.process_names && process_names != 0;
  }
};

enum class Access : unsigned char { read, write };

/// Holds a file open. Its memory is free once nobody holds or maps it, however processes end.
class HostFile {
 public:
  /// False under SimGrid's SMPI, which runs all ranks in one process and knows the time of messages only.
  [[nodiscard]] static bool supported();

  /// None.
  HostFile() = default;

  /// A new file of `n_bytes`, which take memory when `reserve` is called or when they are written to; none where the
  /// system or a limit on the size of files refuses it.
  [[nodiscard]] static HostFile create(std::size_t n_bytes);
  /// Another process's file; none where there is no way to it.
  [[nodiscard]] static HostFile open(const HostFileAddress& address, Access access);

  [[nodiscard]] bool exists() const { return descriptor_.get() >= 0; }
  /// Of no file, it still tells where this process is.
  [[nodiscard]] HostFileAddress address() const;

  /// Takes the memory for these bytes now. False where the system has none: it would end the process that writes there.
  /// (Where it hands out more than it has, it may end processes all the same.)
  [[nodiscard]] bool reserve(std::size_t begin, std::size_t n_bytes);
  /// False where not all bytes could be written.
  [[nodiscard]] bool write(std::size_t begin, std::span<const std::byte> bytes);

  /// The mapped bytes; null where the system refuses. The caller unmaps them.
  [[nodiscard]] std::byte* map(std::size_t begin, std::size_t n_bytes, Access access) const;

 private:
  struct DescriptorTraits {
    using Handle = int;
    static Handle null() noexcept { return -1; }
    static void destroy(Handle descriptor) noexcept;
  };

  UniqueHandle<DescriptorTraits> descriptor_;
};

}  // namespace strake::comm

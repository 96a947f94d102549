// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Weights that a machine was sent, on its disk by the hash of their bytes. A job that begins again, after a loss or
/// the next day, is sent only what the machines of its ranks have not: 100 MB take a second on a link of 1 Gbit/s.

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "core/blob.hpp"

namespace strake::engine {

/// XXH3 of 128 bits (https://xxhash.com); zero for what is not worth a file.
struct WeightHash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  [[nodiscard]] bool is_zero() const { return low == 0 && high == 0; }
  bool operator==(const WeightHash&) const = default;
};

/// Zero below 64 KB.
[[nodiscard]] WeightHash hash_of(const Blob& values);

/// Ranks of one machine share the folder without knowing of each other: files appear whole, and may be gone at any
/// time.
class WeightCache {
 public:
  /// @param folder      made when it is needed
  /// @param most_bytes  that `trim` leaves
  explicit WeightCache(std::filesystem::path folder, std::uintmax_t most_bytes = std::uintmax_t{4} << 30);

  /// Reads the bytes with this hash, as many as `values` has room for. False where there are none, and where what is
  /// there is damaged, which is removed; `values` may have been written to then.
  [[nodiscard]] bool load(const WeightHash& hash, Blob& values) const;

  /// Failing to (disk full) is logged once and otherwise harmless; so is a zero hash.
  void store(const WeightHash& hash, const Blob& values) const;

  /// Removes files until few enough bytes are left, those first that were not used for the longest time.
  void trim() const;

 private:
  [[nodiscard]] std::filesystem::path file_of(const WeightHash& hash) const;

  std::filesystem::path folder_;
  std::uintmax_t most_bytes_;
};

}  // namespace strake::engine

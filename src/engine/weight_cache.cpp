// SPDX-License-Identifier: Apache-2.0
#include "engine/weight_cache.hpp"

#define XXH_INLINE_ALL  // a header is all that is needed of the library
#include <xxhash.h>

#include <algorithm>
#include <fstream>
#include <iomanip>
#include <sstream>
#include <system_error>
#include <vector>

#include "engine/disk_cache.hpp"

namespace strake::engine {

namespace fs = std::filesystem;

WeightHash hash_of(const Blob& values) {
  constexpr std::size_t least_bytes = 64 << 10;
  if (values.size_bytes() < least_bytes) return {};
  const XXH128_hash_t hash = XXH3_128bits(values.data(), values.size_bytes());
  return {hash.low64, hash.high64};
}

WeightCache::WeightCache(fs::path folder, std::uintmax_t most_bytes)
    : folder_(std::move(folder)), most_bytes_(most_bytes) {}

fs::path WeightCache::file_of(const WeightHash& hash) const {
  std::ostringstream name;
  name << std::hex << std::setfill('0') << std::setw(16) << hash.high << std::setw(16) << hash.low << ".weight";
  return folder_ / name.str();
}

bool WeightCache::load(const WeightHash& hash, Blob& values) const {
  if (hash.is_zero()) return false;
  const fs::path file = file_of(hash);
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return false;
  stream.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
  std::error_code ignored;
  if (stream && hash_of(values) == hash) {
    fs::last_write_time(file, fs::file_time_type::clock::now(), ignored);
    return true;
  }
  fs::remove(file, ignored);
  return false;
}

void WeightCache::store(const WeightHash& hash, const Blob& values) const {
  if (!hash.is_zero()) keep_file(file_of(hash), {{values.data(), values.size_bytes()}});
}

void WeightCache::trim() const {
  struct File {
    fs::file_time_type used;
    fs::path path;
    std::uintmax_t n_bytes = 0;
  };
  std::vector<File> files;
  std::uintmax_t n_bytes = 0;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    const File file{entry->last_write_time(gone), entry->path(), entry->file_size(gone)};
    if (gone || file.path.extension() != ".weight") continue;
    n_bytes += file.n_bytes;
    files.push_back(file);
  }
  std::ranges::sort(files, {}, &File::used);
  for (auto oldest = files.begin(); n_bytes > most_bytes_ && oldest != files.end(); ++oldest) {
    std::error_code ignored;
    fs::remove(oldest->path, ignored);
    n_bytes -= oldest->n_bytes;
  }
}

}  // namespace strake::engine

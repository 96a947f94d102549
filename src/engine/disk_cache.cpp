// SPDX-License-Identifier: Apache-2.0
#include "engine/disk_cache.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>

#include "core/log.hpp"

namespace strake::engine {

namespace fs = std::filesystem;

std::optional<fs::path> cache_directory() {
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg != '\0') return fs::path(xdg) / "strake";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return fs::path(home) / ".cache" / "strake";
  return std::nullopt;
}

void keep_file(const fs::path& file, std::initializer_list<std::span<const std::byte>> parts) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  const fs::path partial = file.string() + "." + std::to_string(gettid());
  std::ofstream stream(partial, std::ios::binary);
  for (const std::span<const std::byte> part : parts)
    stream.write(reinterpret_cast<const char*>(part.data()), static_cast<std::streamsize>(part.size()));
  stream.close();
  if (stream) fs::rename(partial, file, error);
  if (stream && !error) return;
  std::error_code ignored;
  fs::remove(partial, ignored);
  static std::atomic<bool> said = false;
  if (!said.exchange(true)) log(LogLevel::warning, "nothing could be kept in " + file.parent_path().string());
}

}  // namespace strake::engine

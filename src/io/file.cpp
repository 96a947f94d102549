// SPDX-License-Identifier: Apache-2.0
#include "io/file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include "core/errors.hpp"

namespace strake::io {

namespace fs = std::filesystem;

std::string read_file(const fs::path& file) {
  std::error_code error;
  if (fs::is_directory(file, error)) throw InvalidInput("'" + file.string() + "' is a directory, expected a file");
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw InvalidInput("cannot read '" + file.string() + "': " + std::strerror(errno));
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  return std::move(bytes).str();
}

void write_file(const fs::path& file, const std::string& bytes) {
  const fs::path partial = file.string() + "." + std::to_string(getpid()) + ".partial";
  errno = 0;
  std::ofstream stream(partial, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  std::string reason = stream ? "" : std::strerror(errno);
  if (reason.empty()) {
    std::error_code error;
    fs::rename(partial, file, error);
    if (error) reason = error.message();
  }
  if (reason.empty()) return;
  std::error_code ignored;
  fs::remove(partial, ignored);
  throw InvalidInput("cannot write '" + file.string() + "': " + reason);
}

}  // namespace strake::io

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Whole files, read and written so that nothing is lost.

#include <filesystem>
#include <string>

namespace strake::io {

/// @throws InvalidInput naming the file: not there, a directory, not readable
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

/// Written beside its place and renamed, so that no partial file stays and an old one survives a failure.
/// @throws InvalidInput naming the file: no such directory, no permission, disk full
void write_file(const std::filesystem::path& file, const std::string& bytes);

}  // namespace strake::io

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Whole files, read and written so that nothing is lost.

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>

namespace strake::io {

/// For files that are read by place or more than once. What is not there is left to who reads it.
/// @param expected  what should stand there, as "an ONNX file"
/// @throws InvalidInput naming the file: a directory, a pipe, a device
void expect_regular_file(const std::filesystem::path& file, const std::string& expected);

/// @throws InvalidInput naming the file and the reason: not there, a directory, not readable
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

/// Where `file` is a regular file or does not exist: written beside its place and renamed, so that no partial file
/// stays and an old one survives a failure; a symbolic link stays and its target is written so. Devices, pipes and
/// descriptors
/// (/dev/stdout, /dev/null) are written as they are.
/// @throws InvalidInput naming the file and the reason: no such directory, no permission, disk full
void write_file(const std::filesystem::path& file, const std::string& bytes);

/// The same for what is too large to hold twice. The file is opened before `write` is called, so that a wrong place is
/// told before the work is done; `write` may throw, and then nothing is left behind.
void write_file(const std::filesystem::path& file, const std::function<void(std::ostream&)>& write);

/// Whether `write_file` would find its place; for files that are written after long work. Changes nothing.
/// @throws InvalidInput as `write_file`
void check_writable(const std::filesystem::path& file);

}  // namespace strake::io

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a machine need not find out or be sent twice, on disk: $XDG_CACHE_HOME/strake, else ~/.cache/strake.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>

namespace strake::engine {

/// The folder, which is made when it is needed; nothing where the environment names none.
[[nodiscard]] std::optional<std::filesystem::path> cache_directory();

/// Writes a file of the cache, whole or not at all. Failing to (disk full, no permission) is logged once and otherwise
/// harmless.
/// @param file   its folder is made
/// @param parts  one after the other
void keep_file(const std::filesystem::path& file, std::initializer_list<std::span<const std::byte>> parts);

}  // namespace strake::engine

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How this host is doing, as the kernel tells it.

#include <wire.pb.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace strake::cluster {

/// Load, temperature (0 without a sensor), free memory and the clock of the first core. Local; a few small reads.
/// @param root  of the file system; another one in tests
[[nodiscard]] wire::Health read_health(const std::filesystem::path& root = "/");

/// What the kernel says of the memory by this name, as "MemTotal"; 0 where it does not tell.
[[nodiscard]] double meminfo_mb(const std::string& name, const std::filesystem::path& root = "/");

/// How many processes the kernel has ended for want of memory: in this process's control group where that counts
/// them, else on this host. 0 where the kernel does not tell.
[[nodiscard]] std::uint64_t ended_for_memory(const std::filesystem::path& root = "/");

}  // namespace strake::cluster

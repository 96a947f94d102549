// SPDX-License-Identifier: Apache-2.0
#pragma once
/// At which address Open MPI's programs listen.

#include <filesystem>
#include <string>

#include "cluster/addresses.hpp"
#include "cluster/process.hpp"

namespace strake::cluster {

/// Environment variable: the numeric IPv4 address for sockets that would listen on all interfaces.
inline constexpr const char* listen_variable = "STRAKE_LISTEN_ADDRESS";

/// A small library that programs are started with, so that they listen at one address only. It is part of this program
/// and written into a folder, whence they load it.
class ListenLibrary {
 public:
  /// @param folder  outlives what is started
  explicit ListenLibrary(const std::filesystem::path& folder) : file_(folder / "bind.so") {}

  /// The command is a program of Open MPI: it, and what it starts in turn, will not listen on all interfaces, but for
  /// IPv4 at this one's address, for IPv6 on loopback. Where programs cannot load the library they may, and the log
  /// says why.
  void confine(Command& command, const Interface& interface) const;

 private:
  std::filesystem::path file_;
};

}  // namespace strake::cluster

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// At which address Open MPI's programs listen.

#include <filesystem>
#include <string>

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

  /// What the command starts, and what that starts in turn, will not listen on all interfaces: for IPv4 at this address
  /// instead, for IPv6 on loopback. Where programs cannot load it the command stays as it is, and the log says why.
  void confine(Command& command, const std::string& address) const;

 private:
  std::filesystem::path file_;
};

}  // namespace strake::cluster

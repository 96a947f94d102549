// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `strake launch`: what mpirun calls in the place of ssh.

#include <string>
#include <vector>

namespace strake::cluster {

/// Asks the supervisor at `parent` to start Open MPI's daemon on `host`, copies what it prints to stderr, and returns
/// its exit code when it has ended. @param words  as mpirun gives them behind the host's name
[[nodiscard]] int launch(const std::string& parent, const std::string& host, const std::vector<std::string>& words);

}  // namespace strake::cluster

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The one program that a node's agent starts: Open MPI's daemon. What it is asked to start it with is checked here.

#include <string>
#include <vector>

namespace strake::cluster {

/// The daemon's command line from the words that mpirun gives its remote-launch hook behind the host's name: no program
/// but `orted` (Open MPI 4) or `prted` (5), found in this process's PATH, and no parameters but those that connect it
/// to its mpirun and choose interfaces; the one by name is for the agent to set. Quotes around a word are taken off; no
/// shell reads it.
/// @throws InvalidInput naming the word
[[nodiscard]] std::vector<std::string> daemon_command(const std::vector<std::string>& words);

}  // namespace strake::cluster

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// This process and the machine that it runs on: cores, threads, memory.

#include <cstddef>
#include <string>
#include <vector>

namespace strake::engine {

/// Numbers of the cores that this process may use, ascending.
[[nodiscard]] std::vector<int> allowed_cores();
/// Cores of the machine that are online.
[[nodiscard]] int online_cores();
/// Binds this process, and threads made from now on, to these cores; quietly does nothing where it may not.
void bind_to(const std::vector<int>& cores);

/// The calling thread takes less of a core that others want too. @param niceness  0 for no less, up to 19
void give_way(int niceness);

/// "AMD EPYC 9374F 32-Core Processor"; "unknown" where nobody tells.
[[nodiscard]] std::string cpu_name();

/// How many threads OpenMP regions started by the calling thread have.
void set_threads(int n);

[[nodiscard]] double peak_rss_mb();
[[nodiscard]] double rss_mb();

}  // namespace strake::engine

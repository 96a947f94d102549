// SPDX-License-Identifier: Apache-2.0
#include "cluster/health.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

namespace strake::cluster {

namespace fs = std::filesystem;

namespace {

std::optional<double> number_in(const fs::path& file) {
  std::ifstream stream(file);
  double number = 0;
  if (stream >> number) return number;
  return std::nullopt;
}

// The hottest zone, in degrees.
double hottest(const fs::path& root) {
  double most = 0;
  for (int zone = 0; zone < 16; ++zone) {
    const auto millidegrees = number_in(root / ("sys/class/thermal/thermal_zone" + std::to_string(zone)) / "temp");
    if (!millidegrees) break;
    most = std::max(most, *millidegrees / 1000);
  }
  return most;
}

// The number behind this word, at the beginning of a line.
std::optional<std::uint64_t> number_behind(const fs::path& file, const std::string& word) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);)
    if (line.starts_with(word + " ")) return std::strtoull(line.c_str() + word.size(), nullptr, 10);
  return std::nullopt;
}

// Lines of /proc/self/cgroup are "4:memory:/path" (version 1) and "0::/path" (version 2).
std::optional<std::uint64_t> ended_in_own_group(const fs::path& root) {
  std::ifstream stream(root / "proc/self/cgroup");
  for (std::string line; std::getline(stream, line);) {
    const std::size_t controllers = line.find(':');
    const std::size_t path = line.find(":/", controllers);
    if (controllers == std::string::npos || path == std::string::npos) continue;
    const std::string group = line.substr(path + 2);
    const std::string kind = line.substr(controllers + 1, path - controllers);
    std::optional<std::uint64_t> number;
    const fs::path groups = root / "sys/fs/cgroup";
    if (kind == "memory:") number = number_behind(groups / "memory" / group / "memory.oom_control", "oom_kill");
    if (kind == ":") number = number_behind(groups / group / "memory.events", "oom_kill");
    if (number) return number;
  }
  return std::nullopt;
}

}  // namespace

double meminfo_mb(const std::string& name, const fs::path& root) {
  return static_cast<double>(number_behind(root / "proc/meminfo", name + ":").value_or(0)) / 1024;
}

std::uint64_t ended_for_memory(const fs::path& root) {
  if (const auto number = ended_in_own_group(root)) return *number;
  return number_behind(root / "proc/vmstat", "oom_kill").value_or(0);
}

wire::Health read_health(const fs::path& root) {
  wire::Health health;
  const long cores = std::max(1L, sysconf(_SC_NPROCESSORS_ONLN));
  health.set_load(number_in(root / "proc/loadavg").value_or(0) / static_cast<double>(cores));
  health.set_temperature_c(hottest(root));
  health.set_memory_free_mb(meminfo_mb("MemAvailable", root));
  health.set_clock_mhz(number_in(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq").value_or(0) / 1000);
  return health;
}

}  // namespace strake::cluster

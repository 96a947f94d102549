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

double free_memory_mb(const fs::path& root) {
  std::ifstream stream(root / "proc/meminfo");
  for (std::string line; std::getline(stream, line);)
    if (line.starts_with("MemAvailable:")) return std::strtod(line.c_str() + 13, nullptr) / 1024;
  return 0;
}

}  // namespace

wire::Health read_health(const fs::path& root) {
  wire::Health health;
  const long cores = std::max(1L, sysconf(_SC_NPROCESSORS_ONLN));
  health.set_load(number_in(root / "proc/loadavg").value_or(0) / static_cast<double>(cores));
  health.set_temperature_c(hottest(root));
  health.set_memory_free_mb(free_memory_mb(root));
  health.set_clock_mhz(number_in(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq").value_or(0) / 1000);
  return health;
}

}  // namespace strake::cluster

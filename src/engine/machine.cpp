// SPDX-License-Identifier: Apache-2.0
#include "engine/machine.hpp"

#include <omp.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace strake::engine {

namespace {

// A line of /proc files: "Name:  value"; empty where it is not.
std::string proc_value(const char* file, const std::string& name) {
  std::ifstream stream(file);
  std::string line;
  while (std::getline(stream, line)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || line.compare(0, name.size(), name) != 0) continue;
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? std::string() : line.substr(begin);
  }
  return {};
}

double status_mb(const std::string& name) {
  const std::string kilobytes = proc_value("/proc/self/status", name);
  return kilobytes.empty() ? 0 : std::stod(kilobytes) / 1024;
}

}  // namespace

std::vector<int> allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return {0};
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

int online_cores() { return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)); }

void bind_to(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(core, &set);
  // Not being allowed to bind costs speed only.
  (void)sched_setaffinity(0, sizeof(set), &set);
}

void give_way(int niceness) {
  // Linux counts threads as processes here.
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), niceness);
}

std::string cpu_name() {
  const std::string name = proc_value("/proc/cpuinfo", "model name");
  return name.empty() ? "unknown" : name;
}

void set_threads(int n) { omp_set_num_threads(n); }

double peak_rss_mb() { return status_mb("VmHWM"); }
double rss_mb() { return status_mb("VmRSS"); }

}  // namespace strake::engine

// SPDX-License-Identifier: Apache-2.0
#include "cli/host_facts.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "cluster/health.hpp"
#include "cluster/keys.hpp"
#include "comm/mpi_communicator.hpp"
#include "engine/disk_cache.hpp"
#include "engine/handshake.hpp"
#include "engine/machine.hpp"

namespace strake::cli {

namespace fs = std::filesystem;

namespace {

std::string first_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

// 0 where there is none.
double number_in(const std::string& text) {
  double value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Version 2 of control groups: "70000 100000" is 0.7 of a core.
double quota_cores(const fs::path& root) {
  std::string group = first_line(root / "proc/self/cgroup");
  if (!group.starts_with("0::")) return 0;
  double least = 0;
  for (fs::path folder = root / "sys/fs/cgroup" / fs::path(group.substr(3)).relative_path();;
       folder = folder.parent_path()) {
    std::istringstream line(first_line(folder / "cpu.max"));
    std::string quota;
    double period = 0;
    if (line >> quota >> period && quota != "max" && period > 0) {
      const double cores = number_in(quota) / period;
      least = least == 0 ? cores : std::min(least, cores);
    }
    if (folder == root / "sys/fs/cgroup" || !folder.has_relative_path()) return least;
  }
}

std::vector<InterfaceFacts> interfaces(const fs::path& root) {
  std::vector<InterfaceFacts> all;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return all;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    const bool up = (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & IFF_LOOPBACK) == 0;
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET || !up) continue;
    char text[INET_ADDRSTRLEN] = {};
    const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
    (void)inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text));
    const double speed = number_in(first_line(root / "sys/class/net" / one->ifa_name / "speed"));
    all.push_back({one->ifa_name, text, std::max(0.0, speed)});
  }
  return all;
}

void add_cache(HostFacts& facts) {
  const std::optional<fs::path> cache = engine::cache_directory();
  if (!cache) {
    facts.cache_writable = false;
    return;
  }
  fs::path folder = *cache;
  facts.cache_folder = folder.string();
  // It is made when it is needed: what counts is the folder that is there.
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_parent_path() && folder != folder.parent_path())
    folder = folder.parent_path();
  facts.cache_writable = access(folder.c_str(), W_OK) == 0;
  struct statvfs file_system {};
  if (statvfs(folder.c_str(), &file_system) == 0)
    facts.cache_free_mb =
        static_cast<double>(file_system.f_bavail) * static_cast<double>(file_system.f_frsize) / (1024 * 1024);
}

std::vector<std::string> loose_keys() {
  std::vector<std::string> loose;
  std::error_code error;
  const fs::directory_options options = fs::directory_options::skip_permission_denied;
  fs::recursive_directory_iterator it(cluster::default_key_directory(), options, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->path().extension() != ".key") continue;
    const fs::perms others = fs::perms::group_all | fs::perms::others_all;
    std::error_code unknown;
    if ((it->status(unknown).permissions() & others) != fs::perms::none && !unknown)
      loose.push_back(it->path().string());
  }
  return loose;
}

}  // namespace

HostFacts local_facts(const fs::path& root) {
  HostFacts facts;
  facts.cpu = engine::cpu_name();
  facts.allowed_cores = static_cast<int>(engine::allowed_cores().size());
  facts.online_cores = engine::online_cores();
  facts.quota_cores = quota_cores(root);
  const wire::Health health = cluster::read_health(root);
  facts.load = health.load() * facts.online_cores;
  facts.clock_mhz = health.clock_mhz();
  facts.temperature_c = health.temperature_c();
  facts.memory_free_mb = health.memory_free_mb();
  const fs::path core = root / "sys/devices/system/cpu/cpu0";
  facts.governor = first_line(core / "cpufreq/scaling_governor");
  facts.most_mhz = number_in(first_line(core / "cpufreq/cpuinfo_max_freq")) / 1000;
  facts.throttled = number_in(first_line(core / "thermal_throttle/core_throttle_count"));
  facts.memory_mb = cluster::meminfo_mb("MemTotal", root);
  facts.swap_used_mb = cluster::meminfo_mb("SwapTotal", root) - cluster::meminfo_mb("SwapFree", root);
  facts.interfaces = interfaces(root);
  facts.loose_keys = loose_keys();
  add_cache(facts);
  return facts;
}

HostFacts facts_of_this_host(const Context& context) {
  HostFacts facts = local_facts();
  const engine::RankInfo info = engine::own_info(context.communicator, context.build);
  facts.host = info.host;
  facts.build = info.build;
  facts.kernel_library = info.library;
  facts.instruction_set = info.instruction_set;
  facts.mpi = comm::mpi_library();
  return facts;
}

std::vector<NameFacts> resolve(const std::vector<std::string>& names) {
  std::vector<NameFacts> resolved;
  for (const std::string& name : names) {
    NameFacts facts{.name = name, .addresses = {}};
    addrinfo wanted{};
    wanted.ai_family = AF_INET;
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (getaddrinfo(name.c_str(), nullptr, &wanted, &list) == 0) {
      const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
      for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
        char text[INET_ADDRSTRLEN] = {};
        (void)inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(one->ai_addr)->sin_addr, text, sizeof(text));
        facts.addresses.emplace_back(text);
      }
    }
    resolved.push_back(std::move(facts));
  }
  return resolved;
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(InterfaceFacts, name, address, claimed_mbit)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(NameFacts, name, addresses)

namespace {

// One list of fields for both ways: visit(key, field).
template <class Facts, class Visit>
void for_each_field(Facts& facts, const Visit& visit) {
  visit("host", facts.host);
  visit("build", facts.build);
  visit("cpu", facts.cpu);
  visit("kernel_library", facts.kernel_library);
  visit("instruction_set", facts.instruction_set);
  visit("mpi", facts.mpi);
  visit("allowed_cores", facts.allowed_cores);
  visit("online_cores", facts.online_cores);
  visit("ranks", facts.ranks);
  visit("quota_cores", facts.quota_cores);
  visit("load", facts.load);
  visit("governor", facts.governor);
  visit("clock_mhz", facts.clock_mhz);
  visit("most_mhz", facts.most_mhz);
  visit("temperature_c", facts.temperature_c);
  visit("throttled", facts.throttled);
  visit("memory_mb", facts.memory_mb);
  visit("memory_free_mb", facts.memory_free_mb);
  visit("swap_used_mb", facts.swap_used_mb);
  visit("cache_folder", facts.cache_folder);
  visit("cache_writable", facts.cache_writable);
  visit("cache_free_mb", facts.cache_free_mb);
  visit("clock_ahead_ms", facts.clock_ahead_ms);
  visit("clock_error_ms", facts.clock_error_ms);
  visit("interfaces", facts.interfaces);
  visit("names", facts.names);
  visit("loose_keys", facts.loose_keys);
}

}  // namespace

nlohmann::json to_json(const HostFacts& facts) {
  nlohmann::json json;
  for_each_field(facts, [&](const char* key, const auto& field) { json[key] = field; });
  return json;
}

std::string text_of(const HostFacts& facts) {
  return to_json(facts).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

HostFacts facts_from_json(const nlohmann::json& json) {
  HostFacts facts;
  for_each_field(facts, [&](const char* key, auto& field) { json.at(key).get_to(field); });
  return facts;
}

}  // namespace strake::cli

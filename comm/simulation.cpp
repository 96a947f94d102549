// SPDX-License-Identifier: Apache-2.0
#include "comm/simulation.hpp"

#include <thread>

#include "core/errors.hpp"

#ifdef STRAKE_SMPI
#include <mpi.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <simgrid/s4u.hpp>
#include <xbt/config.hpp>
#endif

namespace strake::comm {

#ifdef STRAKE_SMPI

namespace {

namespace s4u = simgrid::s4u;

constexpr double reference_flops = 1e9;  // a second

struct Route {
  double latency_s = 0;
  double bytes_per_s = std::numeric_limits<double>::infinity();
  std::set<const s4u::Link*> shared;  // what messages on it share with each other
};

Route route_between(const std::string& src, const std::string& dst) {
  std::vector<s4u::Link*> path;
  Route route;
  s4u::Host::by_name(src)->route_to(s4u::Host::by_name(dst), path, &route.latency_s);
  for (const s4u::Link* link : path) {
    route.bytes_per_s = std::min(route.bytes_per_s, link->get_bandwidth());
    if (link->get_sharing_policy() != s4u::Link::SharingPolicy::FATPIPE) route.shared.insert(link);
  }
  return route;
}

}  // namespace

Clock::time_point Clock::now() {
  const std::chrono::duration<double> since_start(MPI_Wtime());
  return time_point(std::chrono::duration_cast<duration>(since_start));
}

void sleep_for(std::chrono::microseconds time) { (void)smpi_usleep(static_cast<useconds_t>(time.count())); }

bool is_simulated() { return true; }

double host_speed() { return s4u::Host::current()->get_speed() / reference_flops; }

bool computing_takes_time() { return simgrid::config::get_value<bool>("smpi/simulate-computation"); }

void pass_time(double us) { smpi_execute_flops_benched(us / 1e6 * s4u::Host::current()->get_speed()); }

Network platform_network(const std::vector<std::string>& hosts) {
  Network network{.links = std::vector<std::vector<Link>>(hosts.size(), std::vector<Link>(hosts.size()))};
  double fastest = 0;                             // of links between hosts, in bytes a second
  std::optional<std::set<const s4u::Link*>> all;  // that every route has
  for (std::size_t src = 0; src < hosts.size(); ++src)
    for (std::size_t dst = 0; dst < hosts.size(); ++dst) {
      if (src == dst) continue;
      const Route route = route_between(hosts[src], hosts[dst]);
      network.links[src][dst] = {.latency_us = route.latency_s * 1e6, .us_per_byte = 1e6 / route.bytes_per_s};
      if (hosts[src] == hosts[dst]) continue;
      fastest = std::max(fastest, route.bytes_per_s);
      if (!all) all = route.shared;
      std::erase_if(*all, [&](const s4u::Link* link) { return !route.shared.contains(link); });
    }
  // One that could carry several messages at the speed of the fastest is a switch.
  constexpr double several = 1.5;
  if (all &&
      std::ranges::any_of(*all, [&](const s4u::Link* link) { return link->get_bandwidth() < several * fastest; }))
    network.medium = Medium::shared;
  return network;
}

#else

Clock::time_point Clock::now() { return std::chrono::steady_clock::now(); }

void sleep_for(std::chrono::microseconds time) { std::this_thread::sleep_for(time); }

bool is_simulated() { return false; }

double host_speed() { return 1; }

bool computing_takes_time() { return true; }

void pass_time(double /*us*/) { ensure(false, "time passes of itself where nothing is simulated"); }

Network platform_network(const std::vector<std::string>& /*hosts*/) {
  ensure(false, "a platform is known where one is simulated");
  return {};
}

#endif

}  // namespace strake::comm

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The simulated machine that ranks run on under SimGrid's SMPI (preset `smpi`). Everywhere else there is none.

#include <chrono>
#include <string>
#include <vector>

#include "core/profile.hpp"

namespace strake::comm {

/// The clock of frames: the simulated one under SMPI, else std::chrono::steady_clock.
struct Clock {
  using duration = std::chrono::steady_clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr bool is_steady = true;
  [[nodiscard]] static time_point now();
};

/// Sleeps by that clock. Local.
void sleep_for(std::chrono::microseconds time);

/// Whether ranks, and the network between them, are simulated.
[[nodiscard]] bool is_simulated();

/// Speed of this rank's host over that of the host on which profiles were recorded, which counts as 1 Gf in platform
/// files. 1 where nothing is simulated. Local.
[[nodiscard]] double host_speed();

/// Whether what ranks compute themselves takes simulated time: the real time that it takes here, scaled.
[[nodiscard]] bool computing_takes_time();

/// Lets simulated time pass as if this rank's host, all of it, computed for `us` microseconds; ranks that share a host
/// slow each other down. Local. @throws Bug where nothing is simulated
void pass_time(double us);

/// What joins hosts.
struct Network {
  std::vector<std::vector<Link>> links;  // [src][dst]; the diagonal is free
  Medium medium = Medium::switched;
};

/// The network as the platform file has it, of ranks on these hosts. Local. @throws Bug where nothing is simulated
[[nodiscard]] Network platform_network(const std::vector<std::string>& hosts);

}  // namespace strake::comm

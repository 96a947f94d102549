// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Times as numbers, for people.

#include <chrono>

namespace strake::cluster {

[[nodiscard]] inline double in_ms(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace strake::cluster

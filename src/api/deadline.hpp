// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace strake::api {

/// The time so long from now; nothing where no clock goes that far, which is never late.
[[nodiscard]] inline std::optional<std::chrono::steady_clock::time_point> time_in(std::chrono::nanoseconds span) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point now = Clock::now();
  if (span > Clock::time_point::max() - now) return std::nullopt;
  return now + std::max(span, std::chrono::nanoseconds(0));
}

}  // namespace strake::api

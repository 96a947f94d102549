// SPDX-License-Identifier: Apache-2.0
#include "core/log.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace strake {
namespace {

TEST(Log, GoesToTheSinkAndNowhereWithoutOne) {
  std::vector<std::pair<LogLevel, std::string>> seen;
  set_log_sink([&seen](LogLevel level, const std::string& message) { seen.emplace_back(level, message); });
  log(LogLevel::warning, "three cores lie idle");
  set_log_sink({});
  log(LogLevel::error, "dropped");
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].first, LogLevel::warning);
  EXPECT_EQ(seen[0].second, "three cores lie idle");
}

}  // namespace
}  // namespace strake

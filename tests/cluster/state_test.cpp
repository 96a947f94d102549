// SPDX-License-Identifier: Apache-2.0
#include "cluster/state.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace {

using namespace strake::cluster;

TEST(State, BecomesJsonWhateverItsNamesHold) {
  State state;
  state.model = "\xff\"\n";
  state.nodes.push_back({.name = "edge2", .host = "h", .there = true, .load = 0.5});
  state.ranks.emplace_back().share = 0.25;
  state.events.push_back({1.5, "node lost", "edge2"});
  const nlohmann::json json = nlohmann::json::parse(to_json(state));
  EXPECT_EQ(json.at("nodes").at(0).at("name"), "edge2");
  EXPECT_EQ(json.at("job").at("ranks").at(0).at("share"), 0.25);
  EXPECT_EQ(json.at("events").at(0).at("kind"), "node lost");
}

TEST(State, CountsLatenciesInClassesThatDouble) {
  Histogram histogram;
  for (const double ms : {0.1, 0.25, 0.26, 100.0, 1e9}) histogram.add(ms);
  EXPECT_EQ(histogram.count, 5U);
  EXPECT_EQ(histogram.counts[0], 2U);
  EXPECT_EQ(histogram.counts[1], 1U);
  EXPECT_EQ(histogram.counts[9], 1U);  // 64 to 128 ms
  EXPECT_EQ(histogram.counts[Histogram::n_classes - 1], 1U);
}

}  // namespace

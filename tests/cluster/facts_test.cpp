// SPDX-License-Identifier: Apache-2.0
#include "cluster/facts.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace strake::cluster {
namespace {

using std::chrono::milliseconds;
using Names = std::vector<std::string>;

constexpr FactsOfNodes::Time start{};

TEST(Facts, WaitForAllNodesThatAreThere) {
  FactsOfNodes facts;
  ASSERT_TRUE(facts.ask("anna", start));
  facts.answered("a", "{}", 0, start + milliseconds(3));
  EXPECT_EQ(facts.ready({"a", "b"}, start + milliseconds(4)), Names{});
  facts.answered("b", "{}", 0, start + milliseconds(5));
  EXPECT_EQ(facts.ready({"a", "b"}, start + milliseconds(5)), Names{"anna"});
  EXPECT_EQ(facts.ready({"a", "b"}, start + milliseconds(6)), Names{}) << "once is enough";
  // What was said before is old.
  ASSERT_TRUE(facts.ask("bert", start + milliseconds(10)));
  EXPECT_EQ(facts.ready({"a", "b"}, start + milliseconds(11)), Names{});
  // A node that is lost meanwhile is not waited for.
  facts.answered("a", "{}", 0, start + milliseconds(12));
  EXPECT_EQ(facts.ready({"a"}, start + milliseconds(13)), Names{"bert"});
}

TEST(Facts, DoNotWaitForEver) {
  FactsOfNodes facts;
  ASSERT_TRUE(facts.ask("anna", start));
  facts.answered("a", R"({"load": 1})", 250, start + milliseconds(20));
  EXPECT_EQ(facts.ready({"a", "b"}, start + FactsOfNodes::longest_wait - milliseconds(1)), Names{});
  const FactsOfNodes::Time late = start + FactsOfNodes::longest_wait;
  EXPECT_EQ(facts.ready({"a", "b"}, late), Names{"anna"});
  const nlohmann::json all = nlohmann::json::parse(facts.to_json("own", {"a", "b"}, R"({"up_s": 3})", late));
  EXPECT_EQ(all, nlohmann::json::parse(R"({"hosts": [{"node": "", "facts": "own"},
                                                     {"node": "a", "facts": "{\"load\": 1}", "clock_ahead_ms": 250},
                                                     {"node": "b"}],
                                           "state": {"up_s": 3}})"));
}

TEST(Facts, HaveLimits) {
  FactsOfNodes facts;
  for (std::size_t i = 0; i < FactsOfNodes::most_who_ask; ++i) EXPECT_TRUE(facts.ask(std::to_string(i), start));
  EXPECT_FALSE(facts.ask("one more", start));
  facts.answered("a", std::string(FactsOfNodes::most_bytes + 1, 'x'), 0, start);
  facts.answered("a", "", 0, start);
  EXPECT_EQ(facts.ready({"a"}, start), Names{});
  // Bytes that are no text come through as something that is.
  facts.answered("a", "\xff", 0, start);
  EXPECT_EQ(facts.ready({"a"}, start).size(), FactsOfNodes::most_who_ask);
  EXPECT_TRUE(nlohmann::json::accept(facts.to_json("", {"a"}, "{}", start)));
}

}  // namespace
}  // namespace strake::cluster

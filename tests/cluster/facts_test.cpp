// SPDX-License-Identifier: Apache-2.0
#include "cluster/facts.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace strake::cluster {
namespace {

using std::chrono::milliseconds;
using Names = std::vector<std::string>;

constexpr FactsOfNodes::Time start{};

using Verdict = FactsOfNodes::Verdict;

TEST(Facts, WaitForAllNodesThatAreThere) {
  FactsOfNodes facts;
  ASSERT_EQ(facts.ask("anna", start), Verdict::ask_nodes);
  facts.answered("a", "{}", 0, start + milliseconds(3));
  EXPECT_EQ(facts.ready({"a", "b"}, start + milliseconds(4)), Names{});
  EXPECT_TRUE(facts.is_anybody_waiting());
  facts.answered("b", "{}", 0, start + milliseconds(5));
  EXPECT_EQ(facts.ready({"a", "b"}, start + milliseconds(5)), Names{"anna"});
  EXPECT_FALSE(facts.is_anybody_waiting()) << "once is enough";
  // What was said long before is old.
  const FactsOfNodes::Time later = start + milliseconds(5000);
  ASSERT_EQ(facts.ask("bert", later), Verdict::ask_nodes);
  EXPECT_EQ(facts.ready({"a", "b"}, later), Names{});
  // A node that is lost meanwhile is not waited for.
  facts.answered("a", "{}", 0, later + milliseconds(2));
  EXPECT_EQ(facts.ready({"a"}, later + milliseconds(3)), Names{"bert"});
}

TEST(Facts, AskNodesOnceASecond) {
  FactsOfNodes facts;
  ASSERT_EQ(facts.ask("anna", start), Verdict::ask_nodes);
  facts.answered("a", "{}", 0, start + milliseconds(3));
  EXPECT_EQ(facts.ask("anna", start + milliseconds(4)), Verdict::wait);
  EXPECT_EQ(facts.ask("bert", start + milliseconds(999)), Verdict::wait);
  EXPECT_EQ(facts.ready({"a"}, start + milliseconds(999)), (Names{"anna", "bert"}));
  EXPECT_EQ(facts.ask("bert", start + milliseconds(1000)), Verdict::ask_nodes);
}

TEST(Facts, DoNotWaitForEver) {
  FactsOfNodes facts;
  ASSERT_EQ(facts.ask("anna", start), Verdict::ask_nodes);
  facts.answered("a", R"({"load": 1})", 250, start + milliseconds(20));
  EXPECT_EQ(facts.ready({"a", "b"}, start + FactsOfNodes::longest_wait - milliseconds(1)), Names{});
  const FactsOfNodes::Time late = start + FactsOfNodes::longest_wait;
  EXPECT_EQ(facts.ready({"a", "b"}, late), Names{"anna"});
  const nlohmann::json all = nlohmann::json::parse(facts.to_json("own", {"a", "b"}, R"({"up_s": 3})", late));
  EXPECT_EQ(all, nlohmann::json::parse(R"({"hosts": [{"node": "", "facts": "own"},
                                                     {"node": "a", "facts": "{\"load\": 1}", "clock_ahead_ms": 250.0,
                                                      "clock_error_ms": 20.0},
                                                     {"node": "b"}],
                                           "state": {"up_s": 3}})"));
}

TEST(Facts, HaveLimits) {
  FactsOfNodes facts;
  for (std::size_t i = 0; i < FactsOfNodes::most_who_ask; ++i)
    EXPECT_NE(facts.ask(std::to_string(i), start), Verdict::too_many);
  EXPECT_EQ(facts.ask("one more", start), Verdict::too_many);
  // Neither too long nor anything but JSON.
  for (const std::string& text : {'"' + std::string(FactsOfNodes::most_bytes, 'x') + '"', std::string(),
                                  std::string("{"), std::string("\"\xff\"")})
    facts.answered("a", text, 0, start);
  EXPECT_EQ(facts.ready({"a"}, start), Names{});
  // Many nodes say much: those for whom there is no room have not answered.
  Names nodes;
  for (int i = 0; i < 200; ++i) {
    nodes.push_back(std::to_string(i));
    facts.answered(nodes.back(), '"' + std::string(FactsOfNodes::most_bytes - 2, 'x') + '"', 0, start);
  }
  const std::string all = facts.to_json("", nodes, "{}", start);
  EXPECT_LT(all.size(), 1U << 20);
  EXPECT_TRUE(nlohmann::json::parse(all).at("hosts").at(20).contains("facts"));
  EXPECT_FALSE(nlohmann::json::parse(all).at("hosts").at(200).contains("facts"));
}

TEST(Facts, OfAHostThatCannotTellAreEmpty) {
  EXPECT_EQ(facts_from(nullptr), "");
  EXPECT_EQ(facts_from([] { return std::string("{}"); }), "{}");
  EXPECT_EQ(facts_from([]() -> std::string { throw std::runtime_error("no"); }), "");
}

}  // namespace
}  // namespace strake::cluster

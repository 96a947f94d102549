// SPDX-License-Identifier: Apache-2.0
#include "partition/plan_json.hpp"

#include <gtest/gtest.h>

#include "core/errors.hpp"
#include "partition/planner.hpp"
#include "partition/random_graph.hpp"

namespace strake::partition {
namespace {

using test::Random;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t found = text.find(from);
  EXPECT_NE(found, std::string::npos) << from;
  return text.replace(found, from.size(), to);
}

class PlanJson : public testing::Test {
 protected:
  PlanJson() {
    test::add_output(graph_, test::add_conv3(graph_, test::add_input(graph_, {1, 1, 8, 4}), 2));
    text_ = plan_to_json(graph_, equal_plan(graph_, 2, SplitAxis::rows));
  }

  // The message for a plan file of this text; it always begins with the file's name.
  std::string error(const std::string& text, int n_ranks = 2) const {
    try {
      (void)plan_from_json(graph_, text, n_ranks, "my.json");
    } catch (const InvalidInput& found) {
      EXPECT_EQ(std::string(found.what()).rfind("my.json", 0), 0U) << found.what();
      return found.what();
    }
    return "";
  }

  void expect_error(const std::string& text, const std::string& part) const {
    const std::string found = error(text);
    EXPECT_NE(found.find(part), std::string::npos) << "expected \"" << part << "\" in \"" << found << "\"";
  }

  Graph graph_;
  std::string text_;
};

TEST_F(PlanJson, ComesBackAsItWas) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    Random random(seed);
    const Graph graph = test::random_graph(random);
    Profile profile = test::random_profile(random, graph, 3, SplitAxis::columns);
    profile.transfer_type = static_cast<TransferType>(seed % 4);
    const Plan plan = make_plan(CostModel(graph, profile), "oodp");
    const Plan back = plan_from_json(graph, plan_to_json(graph, plan), 3, "test");
    EXPECT_EQ(back.model, plan.model);
    EXPECT_EQ(back.strategy, plan.strategy);
    EXPECT_EQ(back.n_ranks, plan.n_ranks);
    EXPECT_EQ(back.axis, plan.axis);
    EXPECT_EQ(back.transfer_type, profile.transfer_type);
    EXPECT_EQ(back.produces, plan.produces) << "seed " << seed;
    EXPECT_EQ(back.overlap, plan.overlap) << "seed " << seed;
    EXPECT_NEAR(back.predicted_us, plan.predicted_us, 1e-9 * plan.predicted_us);
    EXPECT_EQ(back.notes, plan.notes);
  }
}

TEST_F(PlanJson, StandsUnderTheNamesOfOperators) {
  EXPECT_NE(text_.find(R"({"name":"op1","kind":"Conv","overlap":"none",)"
                       R"("produces":[[[[0,1],[0,2],[0,4],[0,4]]],[[[0,1],[0,2],[4,8],[0,4]]]]})"),
            std::string::npos)
      << text_;
}

TEST_F(PlanJson, SaysAsWhatTensorsTravel) {
  EXPECT_NE(text_.find("\"transfer_dtype\": \"f32\",\n"), std::string::npos) << text_;
  const auto type_of = [&](const std::string& line) {
    return plan_from_json(graph_, replaced(text_, "  \"transfer_dtype\": \"f32\",\n", line), 2, "my.json")
        .transfer_type;
  };
  EXPECT_EQ(type_of("\"transfer_dtype\": \"fp16\","), TransferType::fp16);
  EXPECT_EQ(type_of(""), TransferType::f32);  // files of older versions
  expect_error(replaced(text_, "\"f32\"", "\"f16\""), "'transfer_dtype': expected one of f32, bf16, fp16, int8");
  expect_error(replaced(text_, "\"f32\"", "16"), "'transfer_dtype'");
}

TEST_F(PlanJson, RefusesWhatIsNotJson) {
  expect_error("", "not JSON");
  expect_error(text_.substr(0, text_.size() / 2), "not JSON");
  expect_error("\xff\xfe", "not JSON");
  expect_error("[]", "expected an object, got array");
  expect_error("null", "expected an object, got null");
  expect_error("{}", "'strake_plan' is missing");
  expect_error(replaced(text_, "\"notes\"", "\"note\": 1, \"notes\""), "'note' is not known here");
  expect_error(replaced(text_, "\"kind\"", "\"sort\": 1, \"kind\""), "'sort' is not known here");
  expect_error(std::string(200000, '['), "not JSON");
  expect_error(std::string(200000, '[') + std::string(200000, ']'), "expected an object, got array");
}

TEST_F(PlanJson, RefusesAnotherModelOrNumberOfRanks) {
  const std::string other = replaced(text_, fingerprint(graph_), "0123456789abcdef");
  expect_error(other, "another --shape or --input of it (0123456789abcdef");
  expect_error(replaced(other, R"("name": "")", R"("name": "resnet")"),
               "made for model 'resnet', but this is model ''");
  expect_error(replaced(other, "\"Conv\"", "\"NormalizePicture\""), "with a picture as --input");
  EXPECT_NE(error(text_, 3).find("made for 2 ranks, but there are 3"), std::string::npos);
}

TEST_F(PlanJson, SaysWhereTextStopsBeingJson) {
  expect_error("  \n", "but empty");
  expect_error("{\n  \"strake_plan\": 1,\n  x}", "not JSON at line 3, column 3");
  expect_error("{\"strake_plan\": 1", "not JSON at line 1, column 18: it ends too early");
  EXPECT_EQ(error("{\"a\": 1e999}").find("exception"), std::string::npos);
}

TEST_F(PlanJson, RefusesUnknownStrategiesAndOtherKindsOfOperators) {
  expect_error(replaced(text_, R"("strategy": "equal")", R"("strategy": "best")"), "'strategy': expected one of auto");
  expect_error(replaced(text_, R"("kind":"Conv")", R"("kind":"Pool")"),
               "operator 'op1', 'kind': expected Conv, got 'Pool'");
}

TEST_F(PlanJson, NamesTheOperatorThatIsWrong) {
  expect_error(replaced(text_, R"("name":"op1")", R"("name":"op7")"), "got 'op7'");
  expect_error(replaced(text_, R"("name":"op1")", R"("name":"op0")"), "got 'op0'");
  expect_error(replaced(text_, "[4,8]", "[5,8]"), "plan: operator 'op1', rank 0");
  expect_error(replaced(text_, "[4,8]", "[4,9]"), "operator 'op1', 'produces'[1][0][2]");
}

TEST_F(PlanJson, RefusesNumbersThatAreNoRows) {
  for (const std::string bad : {"[-1,8]", "[4,8.5]", "[4,1e300]", "[4,99999999999999999999999]", "[4]", "[4,5,8]",
                                "[8,4]", "[4,4]", "[\"4\",8]", "[null,8]", "{}", "4", "[4,18446744073709551615]"})
    expect_error(replaced(text_, "[4,8]", bad), "operator 'op1'");
}

TEST_F(PlanJson, RefusesOtherTypesAnywhere) {
  for (const std::string bad : {"null", "[]", "{}", "-1", "\"x\"", "1e999"}) {
    EXPECT_NE(error(replaced(text_, "\"ranks\": 2", "\"ranks\": " + bad)), "") << bad;
    EXPECT_NE(error(replaced(text_, "\"strake_plan\": 1", "\"strake_plan\": " + bad)), "") << bad;
    EXPECT_NE(error(replaced(text_, "\"axis\": \"rows\"", "\"axis\": " + bad)), "") << bad;
    EXPECT_NE(error(replaced(text_, "\"predicted_ms\": 0.0", "\"predicted_ms\": " + bad)), "") << bad;
    EXPECT_NE(error(replaced(text_, "\"overlap\":\"none\"", "\"overlap\":" + bad)), "") << bad;
  }
}

// Any byte may be damaged: the answer is a plan or one of our errors.
TEST_F(PlanJson, SurvivesDamage) {
  int n_refused = 0;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    for (const char byte : {'0', '"', ']', '\0', '\xff'}) {
      std::string damaged = text_;
      damaged[i] = byte;
      n_refused += error(damaged).empty() ? 0 : 1;
    }
  }
  EXPECT_GT(n_refused, 0);
}

TEST(ProfileJson, ComesBackAsItWas) {
  Random random(3);
  const Graph graph = test::random_graph(random);
  Profile profile = test::random_profile(random, graph, 2, SplitAxis::columns);
  profile.ranks[1].host = "edge-2 \"the other\"";
  profile.ranks[1].threads = 4;
  profile.ranks[0].copy_us_per_byte = 0.1;
  profile.ranks[0].jitter_us = 0.25;
  profile.ranks[0].channels.resize(graph.ops.size());
  profile.ranks[0].channels.back() = {.extents = {8, 16}, .microseconds = {1.5, 2}};
  profile.ranks[0].baseline_bytes = 123456789;
  profile.medium = Medium::shared;
  const Profile back = profile_from_json(profile_to_json(profile), "test");
  EXPECT_EQ(back.model, profile.model);
  EXPECT_EQ(back.medium, profile.medium);
  EXPECT_EQ(back.axis, profile.axis);
  for (std::size_t rank = 0; rank < 2; ++rank) {
    EXPECT_EQ(back.ranks[rank].host, profile.ranks[rank].host);
    EXPECT_EQ(back.ranks[rank].threads, profile.ranks[rank].threads);
    EXPECT_EQ(back.ranks[rank].whole_us, profile.ranks[rank].whole_us);
    EXPECT_EQ(back.ranks[rank].jitter_us, profile.ranks[rank].jitter_us);
    ASSERT_EQ(back.ranks[rank].channels.size(), profile.ranks[rank].channels.size());
    for (std::size_t op = 0; op < back.ranks[rank].channels.size(); ++op) {
      EXPECT_EQ(back.ranks[rank].channels[op].extents, profile.ranks[rank].channels[op].extents);
      EXPECT_EQ(back.ranks[rank].channels[op].microseconds, profile.ranks[rank].channels[op].microseconds);
    }
    EXPECT_EQ(back.ranks[rank].copy_us_per_byte, profile.ranks[rank].copy_us_per_byte);
    EXPECT_EQ(back.ranks[rank].baseline_bytes, profile.ranks[rank].baseline_bytes);
    ASSERT_EQ(back.ranks[rank].ops.size(), profile.ranks[rank].ops.size());
    for (std::size_t op = 0; op < back.ranks[rank].ops.size(); ++op) {
      EXPECT_EQ(back.ranks[rank].ops[op].extents, profile.ranks[rank].ops[op].extents);
      EXPECT_EQ(back.ranks[rank].ops[op].microseconds, profile.ranks[rank].ops[op].microseconds);
    }
    for (std::size_t other = 0; other < 2; ++other) {
      EXPECT_EQ(back.links[rank][other].latency_us, profile.links[rank][other].latency_us);
      EXPECT_EQ(back.links[rank][other].us_per_byte, profile.links[rank][other].us_per_byte);
      EXPECT_EQ(back.links[rank][other].overhead_us, profile.links[rank][other].overhead_us);
      EXPECT_EQ(back.links[rank][other].overhead_us_per_byte, profile.links[rank][other].overhead_us_per_byte);
    }
  }
}

TEST(ProfileJson, RefusesWhatIsNoProfile) {
  const Profile profile{.model = "x",
                        .axis = SplitAxis::rows,
                        .ranks = {{.host = "h", .ops = {{.extents = {2, 4}, .microseconds = {1, 2}}}}},
                        .links = {{{}}}};
  const std::string text = profile_to_json(profile);
  EXPECT_NO_THROW((void)profile_from_json(text, "test"));
  EXPECT_NO_THROW((void)profile_from_json("{\"model\": \"x\", \"profile\": " + text + "}", "test"));
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"[2,4]", "[4,2]"},
                                                                                 {"[2,4]", "[0,4]"},
                                                                                 {"[2,4]", "[]"},
                                                                                 {"[1.0,2.0]", "[1.0]"},
                                                                                 {"[1.0,2.0]", "[1.0,-2.0]"},
                                                                                 {"\"threads\":1", "\"threads\":0"},
                                                                                 {"\"h\"", "7"},
                                                                                 {"\"rows\"", "\"diagonals\""},
                                                                                 {"\"switched\"", "\"aether\""},
                                                                                 {"\"strake_profile\": 1", "\"x\": 1"}})
    EXPECT_THROW((void)profile_from_json(replaced(text, from, to), "test"), InvalidInput) << from << " to " << to;
}

}  // namespace
}  // namespace strake::partition

// SPDX-License-Identifier: Apache-2.0
#include "cli/trace_json.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/small_graphs.hpp"
#include "trace_checks.hpp"

namespace strake::cli {
namespace {

using engine::StepKind;
using engine::Trace;
using nlohmann::json;

// op0 (input, 1x1x8x6) -> op1 (3x3 convolution): rank 0 computes rows 0 to 5, rank 1 rows 5 to 8. Rank 1 is sent input
// rows 4 to 8, 4 * 6 floats, and sends back 3 * 6 floats. Each channel and each row has one message.
struct Example {
  Graph graph;
  Plan plan;
  Trace trace;
};

Example example() {
  Example one;
  one.graph.name = "two ranks";
  const OpId input = test::add_input(one.graph, {1, 1, 8, 6});
  const OpId conv = test::add_conv3(one.graph, input, 1);
  test::add_output(one.graph, conv);
  one.plan = empty_plan(one.graph, 2);
  one.plan.strategy = "by hand";
  const Box all = whole({1, 1, 8, 6});
  one.plan.boxes(conv, 0) = {with_axis(all, 2, {0, 5})};
  one.plan.boxes(conv, 1) = {with_axis(all, 2, {5, 8})};
  check(one.graph, one.plan, 2);
  one.trace.first_frame = 7;
  one.trace.has_tail = true;
  one.trace.ranks.resize(2);
  one.trace.ranks[0] = {
      .host = "edge1",
      .steps = {{StepKind::start_messages, input},
                {StepKind::compute, conv, "the upper rows", "own"},
                {StepKind::start_messages, conv},
                {StepKind::finish_sends, input},
                {StepKind::finish_receives, conv}},
      // begin, first step, ends of five steps, over; in nanoseconds
      .frames = {{5000, 5100, 5200, 6000, 6010, 6020, 7500, 7600}, {8000, 8100, 8200, 9000, 9010, 9020, 9900, 9950}},
      .clock_error_ns = 0};
  one.trace.ranks[1] = {
      .host = "edge2",
      .steps = {{StepKind::start_messages, input},
                {StepKind::finish_receives, input},
                {StepKind::compute, conv, "the lower rows", "brgconv:avx2"},
                {StepKind::start_messages, conv},
                {StepKind::finish_sends, conv}},
      .frames = {{4000, 4010, 4020, 5400, 6900, 7000, 7100, 7200}, {7300, 7310, 7320, 8400, 9700, 9750, 9760, 9770}},
      .clock_error_ns = 1500};
  return one;
}

json json_of(const Example& one) {
  std::ostringstream text;
  write_trace_events(text, one.graph, one.plan, one.trace);
  return json::parse(text.str());
}

// The events of one phase and name.
std::vector<json> events(const json& trace, const std::string& phase, const std::string& name) {
  std::vector<json> found;
  for (const json& event : trace.at("traceEvents"))
    if (event.at("ph") == phase && event.at("name") == name) found.push_back(event);
  return found;
}

TEST(TraceJson, IsSound) {
  const test::TraceChecker checker(json_of(example()));
  EXPECT_EQ(checker.complaints(), std::vector<std::string>{});
  EXPECT_EQ(checker.n_ranks(), 2);
  EXPECT_EQ(checker.n_frames(), 2U);
  EXPECT_EQ(checker.n_kernels(), 4U);
  EXPECT_EQ(checker.bytes(0, "send"), 2 * 4 * 6 * 4);
  EXPECT_EQ(checker.bytes(1, "receive"), 2 * 4 * 6 * 4);
  EXPECT_EQ(checker.bytes(1, "send"), 2 * 3 * 6 * 4);
  EXPECT_EQ(checker.bytes(0, "receive"), 2 * 3 * 6 * 4);
}

TEST(TraceJson, NamesRanksAndHosts) {
  const json trace = json_of(example());
  const std::vector<json> names = events(trace, "M", "process_name");
  ASSERT_EQ(names.size(), 2U);
  EXPECT_EQ(names[0].at("args").at("name"), "rank 0 on edge1");
  EXPECT_EQ(names[1].at("args").at("name"), "rank 1 on edge2");
  EXPECT_EQ(names[1].at("pid"), 2);
  EXPECT_EQ(trace.at("otherData"), json({{"model", "two ranks"},
                                         {"strategy", "by hand"},
                                         {"first_frame", 7},
                                         {"frames", 2},
                                         {"largest_clock_error_us", 1.5}}));
}

TEST(TraceJson, HasASliceForEveryStep) {
  const json trace = json_of(example());
  // The earliest moment is that at which rank 1 begins, 4000.
  const std::vector<json> kernels = events(trace, "X", "op1");
  ASSERT_EQ(kernels.size(), 4U);
  EXPECT_EQ(
      kernels[0],
      json({{"ph", "X"},
            {"pid", 1},
            {"tid", 2},
            {"name", "op1"},
            {"cat", "kernel"},
            {"ts", 1.2},
            {"dur", 0.8},
            {"args", {{"type", "Conv"}, {"implementation", "own"}, {"box", "the upper rows"}, {"of", "1x1x8x6"}}}}));
  EXPECT_EQ(kernels[3].at("pid"), 2);
  EXPECT_EQ(kernels[3].at("ts"), 4.4);
  EXPECT_EQ(kernels[3].at("dur"), 1.3);

  const std::vector<json> sends = events(trace, "X", "send op0");
  ASSERT_EQ(sends.size(), 2U);
  EXPECT_EQ(sends[0].at("tid"), 3);
  EXPECT_EQ(sends[0].at("ts"), 1.1);
  EXPECT_EQ(sends[0].at("args").at("messages"),
            json::array({{{"message", 0}, {"to", 1}, {"bytes", 96}, {"box", "[0, 1) x [0, 1) x [4, 8) x [0, 6)"}}}));
  const std::vector<json> receives = events(trace, "X", "receive op1");
  ASSERT_EQ(receives.size(), 2U);
  EXPECT_EQ(receives[0].at("ts"), 2.02);
  EXPECT_EQ(receives[0].at("dur"), 1.48);
  EXPECT_EQ(receives[0].at("args").at("messages"),
            json::array({{{"message", 1}, {"from", 1}, {"bytes", 72}, {"box", "[0, 1) x [0, 1) x [5, 8) x [0, 6)"}}}));
  EXPECT_EQ(events(trace, "X", "open receives of op0").size(), 2U);
  EXPECT_EQ(events(trace, "X", "finish sends of op0").size(), 2U);
  EXPECT_EQ(events(trace, "X", "finish sends of op1").size(), 2U);
}

TEST(TraceJson, HasFramesWithWhatSurroundsTheSteps) {
  Example one = example();
  const json trace = json_of(one);
  const std::vector<json> frames = events(trace, "X", "frame 8");
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].at("ts"), 4.0);
  EXPECT_EQ(frames[0].at("dur"), 1.95);
  EXPECT_EQ(frames[1].at("pid"), 2);
  EXPECT_EQ(events(trace, "X", "frame 7").size(), 2U);
  const std::vector<json> inputs = events(trace, "X", "write inputs");
  ASSERT_EQ(inputs.size(), 2U) << "on rank 0 only";
  EXPECT_EQ(inputs[0].at("ts"), 1.0);
  EXPECT_EQ(inputs[0].at("dur"), 0.1);
  const std::vector<json> tails = events(trace, "X", "tail");
  ASSERT_EQ(tails.size(), 2U) << "on rank 0 only";
  EXPECT_EQ(tails[0].at("ts"), 3.5);
  EXPECT_EQ(tails[0].at("dur"), 0.1);
  one.trace.has_tail = false;
  EXPECT_TRUE(events(json_of(one), "X", "tail").empty());
}

TEST(TraceJson, DrawsAnArrowForEachMessage) {
  const json trace = json_of(example());
  const std::vector<json> starts = events(trace, "s", "message");
  const std::vector<json> finishes = events(trace, "f", "message");
  ASSERT_EQ(starts.size(), 4U);
  ASSERT_EQ(finishes.size(), 4U);
  // Two messages a frame; frame 7 is the first.
  EXPECT_EQ(starts[0].at("id"), 14);
  EXPECT_EQ(starts[0].at("pid"), 1);
  EXPECT_EQ(starts[0].at("ts"), 1.1);
  EXPECT_EQ(finishes[0].at("id"), 15);
  EXPECT_EQ(finishes[0].at("ts"), 3.499) << "within the slice that ends at 3.5";
  EXPECT_EQ(finishes[1].at("id"), 17);
}

TEST(TraceJson, IsTextEvenWhereNamesAreNone) {
  Example one = example();
  one.graph.op(1).name = "\xff\"\n";
  const json trace = json_of(one);
  EXPECT_EQ(events(trace, "X", "\xef\xbf\xbd\"\n").size(), 4U);
}

TEST(TraceJson, IsEmptyWithoutFrames) {
  Example one = example();
  for (engine::RankTrace& rank : one.trace.ranks) rank.frames.clear();
  const test::TraceChecker checker(json_of(one));
  EXPECT_EQ(checker.complaints(), std::vector<std::string>{});
  EXPECT_EQ(checker.n_frames(), 0U);
}

// The checks that tests of real runs rely on must find what is wrong.
TEST(TraceChecker, FindsWhatIsWrong) {
  const auto complaints_about = [](const std::function<bool(json&)>& spoil) {
    json trace = json_of(example());
    json events = json::array();
    bool spoilt = false;
    for (json event : trace.at("traceEvents")) {
      // The first event that the change fits to is changed; null takes it away.
      if (!spoilt) spoilt = spoil(event);
      if (!event.is_null()) events.push_back(event);
    }
    EXPECT_TRUE(spoilt);
    trace["traceEvents"] = events;
    return test::TraceChecker(trace).complaints().size();
  };
  const auto is = [](const json& event, const char* phase, const std::string& name) {
    return event.at("ph") == phase && event.at("name") == name;
  };
  EXPECT_GT(complaints_about([&](json& event) { return is(event, "f", "message") && (event = nullptr).is_null(); }),
            0U);
  EXPECT_GT(complaints_about([&](json& event) { return is(event, "s", "message") && (event = nullptr).is_null(); }),
            0U);
  EXPECT_GT(complaints_about([&](json& event) { return is(event, "X", "send op0") && (event = nullptr).is_null(); }),
            0U);
  EXPECT_GT(complaints_about([&](json& event) { return is(event, "X", "frame 7") && (event = nullptr).is_null(); }),
            0U);
  EXPECT_GT(
      complaints_about([&](json& event) { return is(event, "M", "process_name") && (event = nullptr).is_null(); }), 0U);
  EXPECT_GT(complaints_about([&](json& event) { return is(event, "X", "send op0") && (event["dur"] = 5).is_number(); }),
            0U);
  EXPECT_GT(complaints_about([&](json& event) { return is(event, "X", "op1") && (event["ts"] = 900).is_number(); }),
            0U);
  EXPECT_GT(complaints_about([&](json& event) { return is(event, "s", "message") && (event["id"] = 99).is_number(); }),
            0U);
  EXPECT_GT(complaints_about([&](json& event) {
              return is(event, "X", "receive op0") && (event["args"]["messages"][0]["bytes"] = 95).is_number();
            }),
            0U);
}

}  // namespace
}  // namespace strake::cli

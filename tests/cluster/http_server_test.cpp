// SPDX-License-Identifier: Apache-2.0
#include "cluster/http_server.hpp"

#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "cluster/metrics.hpp"
#include "core/errors.hpp"

namespace {

using namespace strake::cluster;
using strake::InvalidInput;
namespace fs = std::filesystem;

State some_state() {
  State state;
  state.model = "net \"one\"\nof two";
  state.job = "ready";
  state.strategy = "oodp-hybrid";
  state.predicted_ms = 12.5;
  state.nodes.push_back({.name = "edge2", .host = "h2", .there = true, .in_job = true, .load = 0.5});
  for (const int rank : {0, 1}) {
    RankState& one = state.ranks.emplace_back();
    one.rank = rank;
    one.host = rank == 0 ? "h1" : "h2";
    one.share = rank == 0 ? 0.25 : 0.75;
  }
  state.submitted = 12;
  state.answered = 11;
  for (const double ms : {0.2, 3.0, 3.0, 1e9}) state.latency_ms.add(ms);
  return state;
}

class Shown : public testing::Test {
 protected:
  std::unique_ptr<HttpServer> serve(const std::string& token = "") {
    return std::make_unique<HttpServer>(HttpSettings{.host = "127.0.0.1", .port = 0, .token = token}, board_);
  }
  static httplib::Client client(const HttpServer& server) { return httplib::Client("127.0.0.1", server.port()); }

  std::shared_ptr<StateBoard> board_ = std::make_shared<StateBoard>();
};

TEST_F(Shown, StateHealthAndPage) {
  const auto server = serve();
  httplib::Client browser = client(*server);
  EXPECT_EQ(browser.Get("/health/ready")->status, 503);
  board_->post(some_state());
  EXPECT_EQ(browser.Get("/health/ready")->status, 200);
  EXPECT_EQ(browser.Get("/health/live")->status, 200);
  const auto state = browser.Get("/state");
  EXPECT_EQ(nlohmann::json::parse(state->body).at("job").at("ranks").at(1).at("share"), 0.75);
  EXPECT_EQ(state->get_header_value("Cache-Control"), "no-store");
  const auto page = browser.Get("/");
  EXPECT_NE(page->body.find("<title>Strake</title>"), std::string::npos);
  EXPECT_NE(page->body.rfind("</html>"), std::string::npos);
  // Nothing from elsewhere.
  EXPECT_EQ(page->body.find("http://"), std::string::npos);
  EXPECT_EQ(page->body.find("https://"), std::string::npos);
  EXPECT_EQ(browser.Get("/nothing")->status, 404);
  EXPECT_EQ(browser.Post("/state", "x", "text/plain")->status, 405);
}

TEST_F(Shown, FrameAndTraceWhenTheyAreThere) {
  const auto server = serve();
  httplib::Client browser = client(*server);
  EXPECT_EQ(browser.Get("/frame")->status, 404);
  EXPECT_EQ(browser.Get("/trace")->status, 404);
  State state = some_state();
  state.preview =
      std::make_shared<const Preview>(Preview{.width = 2, .height = 1, .rgba = {1, 2, 3, 255, 4, 5, 6, 255}});
  state.trace = std::make_shared<const std::string>(R"({"traceEvents":[]})");
  board_->post(state);
  const auto frame = browser.Get("/frame");
  EXPECT_EQ(frame->get_header_value("X-Width"), "2");
  EXPECT_EQ(frame->get_header_value("X-Height"), "1");
  EXPECT_EQ(frame->body, std::string("\1\2\3\xff\4\5\6\xff"));
  EXPECT_EQ(browser.Get("/trace")->body, R"({"traceEvents":[]})");
}

TEST_F(Shown, OnlyWithTheToken) {
  const auto server = serve("0123456789abcdef");
  httplib::Client browser = client(*server);
  EXPECT_EQ(browser.Get("/health/live")->status, 200);
  for (const char* path : {"/", "/state", "/metrics", "/frame", "/trace", "/health/ready"}) {
    EXPECT_EQ(browser.Get(path)->status, 401) << path;
    EXPECT_EQ(browser.Get(path, {{"Authorization", "Bearer 0123456789abcdeF"}})->status, 401) << path;
    EXPECT_EQ(browser.Get(path, {{"Authorization", "Bearer "}})->status, 401) << path;
  }
  EXPECT_EQ(browser.Get("/state", {{"Authorization", "Bearer 0123456789abcdef"}})->status, 200);
  EXPECT_EQ(browser.Get("/state?token=0123456789abcdef")->status, 200);
}

TEST_F(Shown, NothingCanBeChanged) {
  const auto server = serve();
  httplib::Client browser = client(*server);
  for (const auto& answer : {browser.Post("/state"), browser.Put("/state"), browser.Delete("/state"),
                             browser.Post("/", "text", "text/plain")}) {
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 405);
    EXPECT_EQ(answer->get_header_value("Allow"), "GET, HEAD");
  }
}

TEST_F(Shown, OtherNamesOfLoopbackAreRefused) {
  const auto server = serve();
  httplib::Client browser = client(*server);
  EXPECT_EQ(browser.Get("/state", {{"Host", "evil.example:7380"}})->status, 403);
  EXPECT_EQ(browser.Get("/state", {{"Host", "127.0.0.1.evil.example"}})->status, 403);
  EXPECT_EQ(browser.Get("/state", {{"Host", "localhost:7380"}})->status, 200);
}

TEST_F(Shown, NotBeyondLoopbackWithoutAToken) {
  EXPECT_THROW(HttpServer({.host = "0.0.0.0", .port = 0, .token = ""}, board_), InvalidInput);
  const auto server = serve();
  EXPECT_THROW(HttpServer({.host = "127.0.0.1", .port = server->port(), .token = ""}, board_), InvalidInput);
  EXPECT_THROW(HttpServer({.host = "192.0.2.1", .port = 0, .token = "0123456789abcdef"}, board_), InvalidInput);
}

TEST(StateBoardTest, KeepsTenStatesASecond) {
  StateBoard board;
  State state;
  state.job = "starting";
  board.post(state);
  state.job = "ready";
  board.post(state);
  EXPECT_EQ(board.get()->job, "starting");
}

TEST(Token, IsMadeOnceAndKept) {
  const fs::path file = fs::path(testing::TempDir()) / "strake_token";
  fs::remove(file);
  const std::string token = token_in(file.string());
  EXPECT_EQ(token.size(), 32U);
  EXPECT_EQ(token_in(file.string()), token);
  struct stat status {};
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  std::ofstream(file) << "short\n";
  EXPECT_THROW((void)token_in(file.string()), InvalidInput);
  EXPECT_THROW((void)token_in("/no/such/folder/token"), InvalidInput);
  fs::remove(file);
}

// Every family has one HELP and one TYPE before its samples, no sample comes twice, and histograms add up.
TEST(Metrics, FollowPrometheusFormat) {
  std::istringstream lines(metrics_text(some_state()));
  std::string line;
  std::string family;
  std::set<std::string> families;
  std::set<std::string> samples;
  double last_bucket = 0;
  while (std::getline(lines, line)) {
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(families.insert(family).second) << family;
      last_bucket = 0;
      continue;
    }
    if (line.starts_with("# TYPE ")) {
      EXPECT_TRUE(line.starts_with("# TYPE " + family + " "));
      continue;
    }
    const std::string sample = line.substr(0, line.rfind(' '));
    const double value = std::stod(line.substr(line.rfind(' ') + 1));
    EXPECT_TRUE(sample.starts_with(family)) << line;
    EXPECT_TRUE(samples.insert(sample).second) << line;
    if (sample.find("_bucket{") == std::string::npos) continue;
    EXPECT_GE(value, last_bucket) << line;
    last_bucket = value;
  }
  const auto has = [&](const std::string& sample) { return samples.contains(sample); };
  EXPECT_TRUE(has(R"(strake_rank_share{rank="1",host="h2"})"));
  EXPECT_TRUE(has(R"(strake_node_up{node="edge2",host="h2"})"));
  EXPECT_TRUE(has(R"(strake_frame_latency_seconds_bucket{le="+Inf"})"));
  const std::string text = metrics_text(some_state());
  EXPECT_NE(text.find("strake_frame_latency_seconds_count 4\n"), std::string::npos);
  EXPECT_NE(text.find("strake_frame_latency_seconds_bucket{le=\"+Inf\"} 4\n"), std::string::npos);
  EXPECT_NE(text.find("strake_frames_submitted_total 12\n"), std::string::npos);
  EXPECT_NE(text.find(R"(model="net \"one\"\nof two")"), std::string::npos);
}

TEST(PreviewTest, StretchesValuesAndSamples) {
  strake::TensorMap inputs;
  inputs["scores"] = strake::HostTensor::of<float>({1, 4}, {1, 2, 3, 4});
  EXPECT_TRUE(preview_of(inputs).rgba.empty());
  inputs["x"] = strake::HostTensor::of<float>({1, 1, 2, 4}, {0, 1, 2, 3, 4, 5, 6, 10});
  const Preview whole = preview_of(inputs);
  EXPECT_EQ(whole.width, 4);
  EXPECT_EQ(whole.height, 2);
  ASSERT_EQ(whole.rgba.size(), 32U);
  EXPECT_EQ(whole.rgba[0], 0);
  EXPECT_EQ(whole.rgba[28], 255);
  EXPECT_EQ(whole.rgba[30], 255);
  EXPECT_EQ(whole.rgba[4 * 4], 102);  // 4 of 10
  const Preview half = preview_of(inputs, 2);
  EXPECT_EQ(half.width, 2);
  EXPECT_EQ(half.height, 1);
  EXPECT_EQ(half.rgba[4], 255);  // the third column of the first row is its largest
  inputs["x"] = strake::HostTensor::of<float>({1, 3, 1, 1}, {std::nanf(""), 0, 5});
  EXPECT_EQ(preview_of(inputs).rgba, (std::vector<std::uint8_t>{0, 0, 255, 255}));
}

}  // namespace

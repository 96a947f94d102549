// SPDX-License-Identifier: Apache-2.0
// What the fuzzers of the cluster once found, and a small fuzzing of our own that needs no special compiler.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "fuzz/http_feed.hpp"
#include "fuzz/wire_feed.hpp"

namespace strake::fuzz {
namespace {

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::vector<std::string> found(const std::string& extension) {
  std::vector<std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator(STRAKE_FUZZ_REGRESSIONS)) {
    if (entry.path().extension() != extension) continue;
    std::ostringstream bytes;
    bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    all.push_back(bytes.str());
  }
  return all;
}

// Some bytes changed, doubled or left out.
std::string changed(std::string text, std::minstd_rand& random) {
  for (std::size_t n = 1 + random() % 4; n > 0 && !text.empty(); --n) {
    const std::size_t at = random() % text.size();
    const std::size_t length = std::min<std::size_t>(1 + random() % 8, text.size() - at);
    switch (random() % 3) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text.insert(at, text.substr(at, length));
        break;
      default:
        text.erase(at, length);
    }
  }
  return text;
}

TEST(Wire, TakesConversations) {
  for (const std::string& text : conversations()) EXPECT_NO_THROW(feed_messages(bytes_of(text)));
  for (const std::string& text : found(".wire")) EXPECT_NO_THROW(feed_messages(bytes_of(text)));
}

TEST(Wire, RefusesOrTakesChangedConversations) {
  std::minstd_rand random(1);
  for (const std::string& text : conversations())
    for (int i = 0; i < 40; ++i) {
      SCOPED_TRACE(i);
      ASSERT_NO_THROW(feed_messages(bytes_of(changed(text, random))));
    }
}

TEST(Http, AnswersRequests) {
  int n_pages = 0;
  for (const std::string& text : requests())
    if (feed_http(text).starts_with("HTTP/1.1 200")) ++n_pages;
  // Open: six or seven pages, of which some are not ready yet; with a token: at least those that show it.
  EXPECT_GE(n_pages, 6);
  EXPECT_TRUE(
      feed_http("\1GET /state HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 401"));
}

TEST(Http, SurvivesChangedRequests) {
  std::minstd_rand random(2);
  for (const std::string& text : requests())
    for (int i = 0; i < 20; ++i) (void)feed_http(changed(text, random));
  for (const std::string& text : found(".http")) (void)feed_http(text);
  EXPECT_TRUE(feed_http("\2GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                  .starts_with("HTTP/1.1 200"));
}

}  // namespace
}  // namespace strake::fuzz

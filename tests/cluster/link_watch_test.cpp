// SPDX-License-Identifier: Apache-2.0
#include "cluster/link_watch.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace {

using namespace strake;
using namespace strake::cluster;
using namespace std::chrono_literals;

const LinkWatch::Time t0{1000s};

constexpr double gigabit = 0.008;  // us per byte
constexpr double megabit = 8;

// Links that carry `us_per_byte` in each direction.
struct Links {
  LinkWatch watch{{}};
  std::map<std::string, double> us_per_byte;
  std::map<std::string, std::pair<std::uint64_t, LinkWatch::Time>> under_way;  // number, and when it is back
  LinkWatch::Time now = t0;
  std::vector<std::string> slow;
  int pieces = 0;
  bool heard = true;

  [[nodiscard]] int asked() const { return pieces / watch.n_pieces(); }

  void add(const std::string& name, double cost) {
    us_per_byte[name] = cost;
    watch.arrived(name);
  }

  // One whose frames take long at once.
  void become_slow(const std::string& name, double cost = megabit) {
    us_per_byte[name] = cost;
    watch.suspect({name}, now);
  }

  void pass(std::chrono::milliseconds time) {
    for (const auto end = now + time; now < end; now += 1ms) {
      for (const LinkWatch::Question& question : watch.questions(now)) {
        const double us = 2 * us_per_byte.at(question.name) * static_cast<double>(LinkWatch::piece_bytes);
        under_way[question.name] = {question.number, now + std::chrono::microseconds(static_cast<long>(us))};
        ++pieces;
      }
      std::erase_if(under_way, [&](const auto& entry) {
        if (entry.second.second > now) return false;
        watch.answered(entry.first, entry.second.first, now);
        return true;
      });
      for (const LinkWatch::Slow& one : watch.became_slow(now, [&](const std::string&) { return heard; }))
        slow.push_back(one.name);
    }
  }
};

TEST(LinkWatch, SaysWhichLinkHasBecomeSlow) {
  Links links;
  links.add("edge2", gigabit);
  links.add("edge3", gigabit);
  links.pass(1000ms);
  EXPECT_EQ(links.asked(), 6) << "each three times, and no more while all is well";
  links.us_per_byte["edge3"] = megabit;
  links.pass(1000ms);
  EXPECT_TRUE(links.slow.empty()) << "nobody has complained";
  links.watch.suspect({"edge2", "edge3"}, links.now);
  const auto suspected = links.now;
  while (links.slow.empty() && links.now < suspected + 5s) links.pass(10ms);
  EXPECT_EQ(links.slow, std::vector<std::string>{"edge3"});
  EXPECT_LT(links.now - suspected, 450ms) << "before the bytes are back";
  EXPECT_FALSE(links.watch.is_slow("edge2"));
  EXPECT_TRUE(links.watch.is_slow("edge3"));
  links.pass(10s);
  EXPECT_EQ(links.slow.size(), 1U) << "it is said once";
  EXPECT_TRUE(links.watch.is_slow("edge3"));
  EXPECT_GT(links.watch.last_echo("edge3"), 700ms);
}

TEST(LinkWatch, BelievesALinkThatIsWellAgain) {
  Links links;
  links.add("edge2", gigabit);
  links.pass(2000ms);
  links.become_slow("edge2");
  links.pass(1000ms);
  ASSERT_TRUE(links.watch.is_slow("edge2"));
  links.add("edge2", megabit);  // it registers again
  links.pass(5000ms);
  EXPECT_TRUE(links.watch.is_slow("edge2"));
  links.us_per_byte["edge2"] = gigabit;
  links.pass(3000ms);
  EXPECT_FALSE(links.watch.is_slow("edge2"));
  links.us_per_byte["edge2"] = megabit;
  links.pass(1000ms);
  links.watch.suspect({"edge2"}, links.now);
  links.pass(1000ms);
  EXPECT_EQ(links.slow.size(), 2U) << "and says so when it is slow again";
}

TEST(LinkWatch, TakesALinkThatWasAlwaysSlowAsItIs) {
  Links links;
  links.add("edge2", megabit);
  links.pass(5000ms);
  links.watch.suspect({"edge2"}, links.now);
  links.pass(5000ms);
  EXPECT_TRUE(links.slow.empty());
  EXPECT_FALSE(links.watch.is_slow("edge2"));
}

TEST(LinkWatch, AcceptsALinkThatStaysSlow) {
  Links links;
  links.watch = LinkWatch({.accept_after = 60s});
  links.add("edge2", gigabit);
  links.pass(2000ms);
  links.become_slow("edge2");
  links.pass(59s);
  EXPECT_TRUE(links.watch.is_slow("edge2"));
  links.pass(5s);
  EXPECT_FALSE(links.watch.is_slow("edge2"));
  links.watch.suspect({"edge2"}, links.now);
  links.pass(5s);
  EXPECT_FALSE(links.watch.is_slow("edge2")) << "that is what is usual there now";
}

TEST(LinkWatch, AsksSeldomWhoeverIsSuspectedAllTheTime) {
  Links links;
  links.add("edge2", gigabit);
  links.pass(1000ms);
  const int before = links.asked();
  for (int i = 0; i < 500; ++i) {
    links.watch.suspect({"edge2"}, links.now);
    links.pass(10ms);
  }
  EXPECT_EQ(links.asked() - before, 3) << "now, and every two seconds";
}

TEST(LinkWatch, GivesTwiceTheTimeWhereHeartbeatsAreMissing) {
  Links links;
  links.add("edge2", gigabit);
  links.pass(2000ms);
  links.us_per_byte["edge2"] = 1e6;
  links.heard = false;
  links.watch.suspect({"edge2"}, links.now);
  links.pass(600ms);
  EXPECT_TRUE(links.slow.empty());
  // It is there again by another connection, and what was under way is lost.
  links.under_way.clear();
  links.heard = true;
  links.add("edge2", gigabit);
  links.watch.suspect({"edge2"}, links.now);
  links.pass(1000ms);
  EXPECT_TRUE(links.slow.empty());
  EXPECT_LT(links.watch.last_echo("edge2"), 100ms);
}

TEST(LinkWatch, ExcusesWhatNobodyLookedAt) {
  Links links;
  links.add("edge2", gigabit);
  links.pass(2000ms);
  links.watch.suspect({"edge2"}, links.now);
  links.pass(1ms);
  ASSERT_EQ(links.under_way.size(), 1U);
  links.now += 5s;
  links.watch.excuse(5s);
  links.pass(100ms);
  EXPECT_TRUE(links.slow.empty());
  EXPECT_FALSE(links.watch.is_slow("edge2"));
}

TEST(LinkWatch, AsksAgainWhereAnAnswerNeverCame) {
  Links links;
  links.add("edge2", gigabit);
  links.pass(2000ms);
  links.become_slow("edge2", 1e9);  // for ever
  links.pass(2000ms);
  EXPECT_TRUE(links.watch.is_slow("edge2"));
  links.us_per_byte["edge2"] = gigabit;
  links.pass(70s);
  EXPECT_FALSE(links.watch.is_slow("edge2"));
}

TEST(LinkWatch, IgnoresAnswersToWhatWasNotAsked) {
  LinkWatch watch({});
  watch.answered("edge9", 1, t0);
  watch.arrived("edge2");
  ASSERT_EQ(watch.questions(t0).size(), 1U);
  watch.answered("edge2", 7, t0 + 10s);
  EXPECT_FALSE(watch.is_slow("edge2"));
  EXPECT_EQ(watch.last_echo("edge2").count(), 0);
}

TEST(FrameTimes, KnowsAFrameThatTakesFarLongerThanTheFastest) {
  FrameTimes times;
  EXPECT_FALSE(times.is_overdue(10s)) << "nothing to hold it against";
  for (int i = 0; i < 40; ++i) times.add(i % 8 == 0 ? 600ms : 50ms + i * 1ms);
  EXPECT_FALSE(times.is_overdue(101ms));
  EXPECT_TRUE(times.is_overdue(110ms));
  times.clear();
  EXPECT_FALSE(times.is_overdue(10s));
  times.add(2ms);
  EXPECT_FALSE(times.is_overdue(52ms)) << "a hiccup";
  EXPECT_TRUE(times.is_overdue(53ms));
}

}  // namespace

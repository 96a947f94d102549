// SPDX-License-Identifier: Apache-2.0
#include "cluster/membership.hpp"

#include <gtest/gtest.h>

namespace {

using namespace strake;
using namespace strake::cluster;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

const Membership::Time t0{1000s};

wire::Register agent(std::uint64_t incarnation) {
  wire::Register about;
  about.set_incarnation(incarnation);
  return about;
}

wire::Beat beat_of(std::uint64_t incarnation) {
  wire::Beat beat;
  beat.set_incarnation(incarnation);
  return beat;
}

TEST(Membership, LosesANodeThatFallsSilent) {
  Membership members({.lost_after = 700ms});
  members.registered("edge2", "p", "", agent(1), t0);
  EXPECT_EQ(members.steady(t0), Names{"edge2"}) << "a new node may join at once";
  EXPECT_TRUE(members.beat("edge2", "p", beat_of(1), t0 + 500ms));
  EXPECT_TRUE(members.fallen_silent(t0 + 1200ms).empty());
  EXPECT_EQ(members.fallen_silent(t0 + 1201ms), Names{"edge2"});
  EXPECT_TRUE(members.fallen_silent(t0 + 1300ms).empty()) << "it is lost once";
  EXPECT_TRUE(members.steady(t0 + 1300ms).empty());
  EXPECT_FALSE(members.beat("edge2", "p", beat_of(1), t0 + 1400ms)) << "it has to register again";
}

TEST(Membership, WaitsLongerForWhoWasLostMoreOften) {
  Membership members({.lost_after = 700ms, .steady_for = 3s});
  Membership::Time now = t0;
  for (const auto wait : {0s, 3s, 6s, 12s, 24s, 48s, 48s}) {
    members.registered("edge2", "p", "", agent(1), now);
    if (wait > 0s) {
      EXPECT_FALSE(members.is_steady(*members.node("edge2"), now + wait - 1ms));
    }
    EXPECT_TRUE(members.is_steady(*members.node("edge2"), now + wait));
    now += wait + 1s;
    members.lose("edge2", now);
  }
}

TEST(Membership, ForgivesAfterALongTime) {
  Membership members({.steady_for = 3s, .forgive_after = 600s});
  members.registered("edge2", "p", "", agent(1), t0);
  members.lose("edge2", t0);
  members.registered("edge2", "p", "", agent(1), t0 + 1s);
  EXPECT_TRUE(members.beat("edge2", "p", beat_of(1), t0 + 601s));
  EXPECT_EQ(members.node("edge2")->losses, 0);
}

TEST(Membership, TellsAnAgentThatWasStartedAgainFromItsPredecessor) {
  Membership members({.steady_for = 3s});
  members.registered("edge2", "p", "", agent(1), t0);
  members.registered("edge2", "p", "", agent(1), t0 + 100ms);
  EXPECT_EQ(members.node("edge2")->losses, 0) << "the same agent says it again";
  members.registered("edge2", "q", "", agent(2), t0 + 200ms);
  EXPECT_EQ(members.node("edge2")->losses, 1);
  EXPECT_FALSE(members.beat("edge2", "p", beat_of(1), t0 + 300ms));
  EXPECT_TRUE(members.beat("edge2", "q", beat_of(2), t0 + 300ms));
}

TEST(Membership, DoesNotKnowStrangers) {
  Membership members({});
  EXPECT_FALSE(members.beat("edge9", "p", beat_of(1), t0));
  EXPECT_EQ(members.node("edge9"), nullptr);
  members.lose("edge9", t0);
  EXPECT_TRUE(members.nodes().empty());
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
#include "comm/clock_probe.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "comm/thread_communicator.hpp"

namespace strake::comm {
namespace {

// Every look at the clock takes a microsecond, and nothing else takes any time: rank 1 answers in the middle of a
// round.
TEST(ProbeClocks, TakesTheMiddleOfARound) {
  constexpr std::int64_t ahead = -7'000'000'000;
  std::atomic<std::int64_t> time = 0;
  const auto ends = make_thread_communicators(2);
  std::vector<ClockOffset> offsets;
  {
    const std::jthread other([&] {
      (void)probe_clocks(
          *ends[1], [&] { return (time += 1000) + ahead; }, std::chrono::seconds(20));
    });
    offsets = probe_clocks(
        *ends[0], [&] { return time += 1000; }, std::chrono::seconds(20));
  }
  ASSERT_EQ(offsets.size(), 2U);
  EXPECT_EQ(offsets[1].ahead, ahead);
  EXPECT_EQ(offsets[1].error, 1000);
}

TEST(ProbeClocks, TakesTheShortestRound) {
  // The round that begins with the 12th look of rank 0 is the only one that takes no more than 2 us.
  std::atomic<std::int64_t> time = 0;
  std::atomic<int> looks = 0;
  const auto ends = make_thread_communicators(2);
  std::vector<ClockOffset> offsets;
  {
    const std::jthread other([&] {
      // The answer comes late in its round, so that the middle of a long one is far from it.
      (void)probe_clocks(
          *ends[1], [&] { return (time += looks == 12 ? 1000 : 90'000) + 5'000'000'000; }, std::chrono::seconds(20));
    });
    offsets = probe_clocks(
        *ends[0],
        [&] {
          ++looks;
          return time += 1000;
        },
        std::chrono::seconds(20));
  }
  EXPECT_EQ(offsets[1].ahead, 5'000'000'000);
  EXPECT_EQ(offsets[1].error, 1000);
}

TEST(ProbeClocks, NamesTheRankThatIsSilent) {
  const auto ends = make_thread_communicators(2);
  try {
    (void)probe_clocks(
        *ends[0], [] { return std::int64_t{0}; }, std::chrono::milliseconds(20));
    FAIL() << "rank 1 never answered";
  } catch (const PeerLost& error) {
    EXPECT_NE(std::string(error.what()).find("rank 1"), std::string::npos) << error.what();
  }
}

TEST(TimeOfRoot, TakesTheOffsetAway) {
  const ClockOffset always{.at = 500, .ahead = 100, .error = 3};
  EXPECT_EQ(time_of_root(500, always, always), 400);
  EXPECT_EQ(time_of_root(900, always, always), 800);
}

TEST(TimeOfRoot, LetsClocksDriftEvenly) {
  // The rank's clock gains 200 ns in a millisecond.
  const ClockOffset before{.at = 1'000'000, .ahead = 100, .error = 0};
  const ClockOffset after{.at = 2'000'000, .ahead = 300, .error = 0};
  EXPECT_EQ(time_of_root(1'000'000, before, after), 999'900);
  EXPECT_EQ(time_of_root(1'500'000, before, after), 1'499'800);
  EXPECT_EQ(time_of_root(2'000'000, before, after), 1'999'700);
}

TEST(TimeOfRoot, KeepsTheOrderOfTimesWhateverWasRead) {
  // Two readings 1 us apart that disagree by 50 us: no clock does that.
  for (const std::int64_t gained : {50'000, -50'000}) {
    const ClockOffset before{.at = 1000, .ahead = 0, .error = 60'000};
    const ClockOffset after{.at = 2000, .ahead = gained, .error = 60'000};
    for (std::int64_t time = 1000; time < 2000; ++time)
      EXPECT_LE(time_of_root(time, before, after), time_of_root(time + 1, before, after)) << time;
    EXPECT_EQ(time_of_root(2000, before, after), gained > 0 ? 1999 : 2001);
  }
}

}  // namespace
}  // namespace strake::comm

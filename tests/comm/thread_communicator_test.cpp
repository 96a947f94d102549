// SPDX-License-Identifier: Apache-2.0
#include "comm/thread_communicator.hpp"

#include <thread>

#include "clock_probe_cases.hpp"
#include "comm/link_probe.hpp"
#include "core/errors.hpp"
#include "equal_pages_cases.hpp"
#include "redistribution_cases.hpp"
#include "table_cases.hpp"

namespace strake::test {
namespace {

template <class Body>
void on_threads(int n, Body body) {
  const auto ends = comm::make_thread_communicators(n);
  std::vector<std::jthread> threads;
  for (const auto& end : ends) threads.emplace_back([&body, &end] { body(*end); });
}

TEST(ThreadCommunicator, MovesWindowsBetweenAnyLayouts) {
  for (unsigned seed = 1; seed <= 60; ++seed)
    on_threads(1 + static_cast<int>(seed % 5), [&](comm::Communicator& end) { check_windows(end, seed); });
}

TEST(ThreadCommunicator, BroadcastsGathersAndMeets) {
  for (int n = 1; n <= 5; ++n) on_threads(n, [](comm::Communicator& end) { check_control(end); });
}

TEST(ThreadCommunicator, CarriesOutTablesOfBoxes) {
  std::size_t n_moves = 0;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    const Table table = random_table(seed, 1 + static_cast<int>(seed % 5));
    n_moves += table.moves.size();
    on_threads(1 + static_cast<int>(seed % 5), [&](comm::Communicator& end) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      check_table(end, table, seed);
    });
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(n_moves, 200U);
}

TEST(ThreadCommunicator, RoundsWhatTravelsAndNothingElse) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    const int n = 1 + static_cast<int>(seed % 5);
    const Table table = random_table(seed, n);
    on_threads(n, [&](comm::Communicator& end) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      check_table(end, table, seed, rounded_types[seed % 3]);
    });
    if (HasFatalFailure()) return;
  }
}

TEST(ThreadCommunicator, RefusesUnlikeTypes) {
  const auto ends = comm::make_thread_communicators(2);
  Blob memory = numbered(whole({8}));
  const View view = dense_view(whole({8}), ElementType::f32, memory.data());
  const auto out = ends[0]->redistribution(1, {{1, view, TransferType::bf16}}, {});
  const auto in = ends[1]->redistribution(1, {}, {{0, view, TransferType::fp16}});
  out->start();
  EXPECT_THROW(in->start(), Bug);
}

TEST(ThreadCommunicator, ActsAsIfRanksWereOnUnlikeHosts) {
  const auto ends = comm::make_thread_communicators(3, {0, 1, 1});
  EXPECT_TRUE(ends[1]->shares_host(2) && ends[2]->shares_host(1) && ends[0]->shares_host(0));
  EXPECT_FALSE(ends[0]->shares_host(1) || ends[1]->shares_host(0));
  EXPECT_NE(ends[0]->host(), ends[1]->host());
  EXPECT_EQ(ends[2]->host(), ends[1]->host());
  const auto alike = comm::make_thread_communicators(2);
  EXPECT_TRUE(alike[0]->shares_host(1));
}

TEST(ThreadCommunicator, MovesScalarsAndNothing) {
  for (int n = 1; n <= 5; ++n) on_threads(n, check_scalars);
}

TEST(ThreadCommunicator, NamesTheRankThatIsSilent) {
  for (int n = 2; n <= 3; ++n) on_threads(n, check_silent_sender);
}

TEST(ThreadCommunicator, HoldsEqualPagesOnce) {
  for (int n = 1; n <= 5; ++n) on_threads(n, [](comm::Communicator& end) { check_equal_pages(end, patience); });
}

TEST(ThreadCommunicator, FindsHowFarClocksAreAhead) {
  for (int n = 1; n <= 5; ++n) on_threads(n, check_clocks);
}

TEST(ThreadCommunicator, GivesUpWaitingForBytes) { on_threads(3, check_silent_control); }

TEST(ThreadCommunicator, RefusesUnlikeBoxes) {
  const auto ends = comm::make_thread_communicators(2);
  Blob memory = numbered(whole({8}));
  const View view = dense_view(whole({8}), ElementType::f32, memory.data());
  const auto out = ends[0]->redistribution(1, {{1, view}}, {});
  const auto in = ends[1]->redistribution(1, {}, {{0, view.window(whole({4}))}});
  out->start();
  EXPECT_THROW(in->start(), Bug);
}

TEST(ThreadCommunicator, FinishesASendWhileTheReceiverWaitsForSomethingElse) {
  // Rank 0 wants its first message gone before it sends the second; rank 1 reads the second first.
  on_threads(2, [](comm::Communicator& end) {
    const Box box = whole({4});
    Blob a = numbered(box);
    Blob b = numbered(box);
    const View va = dense_view(box, ElementType::f32, a.data());
    const View vb = dense_view(box, ElementType::f32, b.data());
    const bool sends = end.rank() == 0;
    using List = std::vector<comm::Message>;
    const auto first = end.redistribution(1, sends ? List{{1, va}} : List{}, sends ? List{} : List{{0, va}});
    const auto second = end.redistribution(2, sends ? List{{1, vb}} : List{}, sends ? List{} : List{{0, vb}});
    first->start();
    if (sends) first->finish_sends(patience);
    second->start();
    second->finish_receives(patience);
    first->finish_receives(patience);
    second->finish_sends(patience);
    EXPECT_EQ(b.floats()[3], 4.0F);
  });
}

TEST(ThreadCommunicator, EndsEverybodysWaitWhenOneRankAborts) {
  const auto ends = comm::make_thread_communicators(2);
  bool ended = false;
  {
    const std::jthread waiting([&] {
      try {
        (void)ends[0]->receive(1, patience);
      } catch (const PeerLost&) {
        ended = true;
      }
    });
    ends[1]->abort(1);
  }
  EXPECT_TRUE(ended);
}

TEST(ThreadCommunicator, ProbesLinksBetweenHostsAlone) {
  const auto ends = comm::make_thread_communicators(3, {0, 1, 1});
  std::vector<std::vector<std::vector<Link>>> seen(3);
  {
    std::vector<std::jthread> ranks;
    for (std::size_t rank = 0; rank < 3; ++rank)
      ranks.emplace_back([&, rank] { seen[rank] = comm::probe_links_between_hosts(*ends[rank], 7, patience); });
  }
  for (const auto& links : seen) {
    EXPECT_EQ(links[1][2].latency_us, 0) << "on one host";
    EXPECT_GT(links[0][1].latency_us, 0);
    EXPECT_EQ(links[0][2].latency_us, links[0][1].latency_us) << "one pair speaks for all on the same hosts";
    EXPECT_EQ(links[2][0].us_per_byte, links[0][1].us_per_byte);
    EXPECT_EQ(links[0][1].latency_us, seen[0][0][1].latency_us) << "all know the same";
  }
}

TEST(ThreadCommunicator, ProbesEveryPairOfRanks) {
  on_threads(3, [](comm::Communicator& end) {
    const auto links = comm::probe_links(end, patience);
    ASSERT_EQ(links.size(), 3U);
    for (std::size_t a = 0; a < 3; ++a)
      for (std::size_t b = 0; b < 3; ++b) {
        EXPECT_EQ(links[a][b].latency_us > 0, a != b);
        EXPECT_GE(links[a][b].us_per_byte, 0);
      }
  });
}

}  // namespace
}  // namespace strake::test

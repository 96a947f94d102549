// SPDX-License-Identifier: Apache-2.0
// The same checks over MPI, and what only MPI can do wrong.

#include <algorithm>
#include <limits>
#include <random>
#include <thread>

#include "clock_probe_cases.hpp"
#include "comm/host_memory.hpp"
#include "comm/link_probe.hpp"
#include "comm/mpi_main.hpp"
#include "core/errors.hpp"
#include "equal_pages_cases.hpp"
#include "redistribution_cases.hpp"
#include "table_cases.hpp"

namespace strake::test {
namespace {

TEST(MpiCommunicator, MovesWindowsBetweenAnyLayouts) {
  for (unsigned seed = 1; seed <= 60; ++seed) check_windows(*world, seed);
}

TEST(MpiCommunicator, BroadcastsGathersAndMeets) { check_control(*world); }

TEST(MpiCommunicator, TurnsMpiErrorsIntoExceptionsWithCallAndPeer) {
  // By default MPI would end the process here.
  try {
    world->send(bytes_of(8, 1), world->size() + 5, patience);
    FAIL() << "a rank that does not exist was sent something";
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what()).find("MPI_Isend"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(std::to_string(world->size() + 5)), std::string::npos) << error.what();
  }
}

TEST(MpiCommunicator, CarriesOutTablesOfBoxes) {
  std::size_t n_moves = 0;
  for (unsigned seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Table table = random_table(seed, world->size());
    n_moves += table.moves.size();
    check_table(*world, table, seed);
    if (HasFatalFailure()) return;
  }
  if (world->size() > 1) {
    EXPECT_GT(n_moves, 100U);
  }
}

TEST(MpiCommunicator, RoundsWhatTravelsAndNothingElse) {
  for (unsigned seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    check_table(*world, random_table(seed, world->size()), seed, rounded_types[seed % 3]);
    if (HasFatalFailure()) return;
  }
}

TEST(MpiCommunicator, KnowsThatAllRanksOfATestShareAHost) {
  for (int peer = 0; peer < world->size(); ++peer) EXPECT_TRUE(world->shares_host(peer));
}

// Boxes of several pieces: more than the shared memory has places for, so that some pieces go through it and some
// through MPI. The scale of int8 comes in the first piece only.
TEST(MpiCommunicator, RoundsBoxesOfManyPieces) {
  if (world->size() < 2) GTEST_SKIP() << "needs another rank";
  const Box box = whole({1, 24, 173, 170});  // 2.8 MB
  using List = std::vector<comm::Message>;
  Blob source = Blob::allocate(dense_bytes(box, ElementType::f32));
  Blob target = Blob::allocate(source.size_bytes());
  for (const TransferType type : rounded_types) {
    std::vector<std::unique_ptr<comm::Redistribution>> all;
    const List sends{{1, dense_view(box, ElementType::f32, source.data()), type}};
    const List receives{{0, dense_view(box, ElementType::f32, target.data()), type}};
    for (int i = 0; i < 50; ++i)
      all.push_back(
          world->redistribution(90 + i, world->rank() == 0 ? sends : List{}, world->rank() == 1 ? receives : List{}));
    for (std::size_t i = 0; i < all.size(); i += 24) {
      std::mt19937 random(static_cast<unsigned>(i));
      for (float& cell : source.floats()) cell = static_cast<float>(static_cast<int>(random() % 20001U) - 10000) / 7;
      std::ranges::fill(target.floats(), 0.0F);
      all[i]->start();
      all[i]->finish_receives(patience);
      all[i]->finish_sends(patience);
      if (world->rank() != 1) continue;
      EXPECT_EQ(all[i]->received_bytes(), rounded_bytes(source.floats().size(), type));
      std::vector<float> expected(source.floats().begin(), source.floats().end());
      round_cells(expected, type);
      EXPECT_TRUE(std::ranges::equal(target.floats(), expected)) << to_string(type) << ", redistribution " << i;
    }
    world->barrier(patience);
  }
}

TEST(MpiCommunicator, MovesScalarsAndNothing) { check_scalars(*world); }
TEST(MpiCommunicator, NamesTheRankThatIsSilent) { check_silent_sender(*world); }
TEST(MpiCommunicator, HoldsEqualPagesOnce) { check_equal_pages(*world, patience); }
TEST(MpiCommunicator, FindsHowFarClocksAreAhead) { check_clocks(*world); }
TEST(MpiCommunicator, GivesUpWaitingForBytes) { check_silent_control(*world); }

TEST(MpiCommunicator, NamesTheRankThatSendsTooMuch) {
  if (world->size() < 2) GTEST_SKIP() << "needs another rank";
  const Box box = whole({1000});
  const int last = world->size() - 1;
  Blob memory = numbered(box);
  const View all = dense_view(box, ElementType::f32, memory.data());
  std::vector<comm::Message> sends;
  std::vector<comm::Message> receives;
  Blob target = Blob::allocate(static_cast<std::size_t>(world->size()) * memory.size_bytes());
  for (int src = 1; src <= last; ++src) {
    const View view = dense_view(box, ElementType::f32, target.data() + static_cast<std::size_t>(src) * 4000);
    if (world->rank() == src) sends.push_back({0, all});
    if (world->rank() == 0) receives.push_back({src, src == last ? view.window(whole({10})) : view});
  }
  const auto messages = world->redistribution(8, sends, receives);
  messages->start();
  messages->finish_sends(patience);
  if (world->rank() == 0) {
    try {
      messages->finish_receives(patience);
      FAIL() << "1000 elements went into the place of 10";
    } catch (const Bug& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find("MPI_Testall failed with rank " + std::to_string(last) + ":"), std::string::npos) << text;
      EXPECT_NE(text.find("TRUNCATE"), std::string::npos) << text;
    }
  }
  world->barrier(patience);
}

// A rank that sends large boxes and then computes for long does not let the others wait.
TEST(MpiCommunicator, LargeBoxesArriveWhileTheirSenderComputes) {
  if (world->size() < 2) GTEST_SKIP() << "needs another rank";
  const Box box = whole({1, 8, 300, 320});  // 3 MB
  Blob memory = numbered(box);
  Blob target = Blob::allocate(memory.size_bytes());
  std::vector<comm::Message> sends;
  std::vector<comm::Message> receives;
  if (world->rank() == 0)
    for (int dst = 1; dst < world->size(); ++dst)
      sends.push_back({dst, dense_view(box, ElementType::f32, memory.data())});
  else
    receives.push_back({0, dense_view(box, ElementType::f32, target.data())});
  const auto messages = world->redistribution(9, sends, receives);
  world->barrier(patience);
  messages->start();
  if (world->rank() == 0) std::this_thread::sleep_for(3s);  // no call of MPI
  messages->finish_receives(2s);
  messages->finish_sends(patience);
  if (world->rank() > 0) {
    EXPECT_TRUE(std::ranges::equal(target.floats(), memory.floats()));
  }
  world->barrier(patience);
}

// All ranks of a test run on one host.
TEST(MpiCommunicator, RanksOfOneHostShareMemory) {
  const comm::HostMemory memory(world->rank(), world->size());
  for (int peer = 0; peer < world->size(); ++peer) {
    EXPECT_EQ(memory.carries(peer, 64 * 1024), world->size() > 1);
    EXPECT_FALSE(memory.carries(peer, 100));
  }
  EXPECT_FALSE(memory.carries(world->size(), 64 * 1024));
}

// Between ranks of one host boxes wait in shared memory. A sender that is ahead by frames neither waits for a reader
// nor overwrites what that has not read.
TEST(MpiCommunicator, KeepsBoxesThatTheirReaderIsLateFor) {
  if (world->size() < 2) GTEST_SKIP() << "needs another rank";
  constexpr int n_frames = 4;
  const Box box = whole({1, 64, 5, 14});  // 18 kB
  Blob memory = numbered(box);
  const View view = dense_view(box, ElementType::f32, memory.data());
  using List = std::vector<comm::Message>;
  const auto messages = world->redistribution(10, world->rank() == 0 ? List{{1, view}} : List{},
                                              world->rank() == 1 ? List{{0, view}} : List{});
  if (world->rank() == 0)
    for (int frame = 0; frame < n_frames; ++frame) {
      memory.floats()[17] = static_cast<float>(-frame);
      messages->start();
      messages->finish_sends(patience);
    }
  world->barrier(patience);
  if (world->rank() == 1)
    for (int frame = 0; frame < n_frames; ++frame) {
      messages->start();
      messages->finish_receives(patience);
      EXPECT_EQ(memory.floats()[17], static_cast<float>(-frame));
      EXPECT_EQ(memory.floats()[16], 17.0F);
    }
  world->barrier(patience);
}

// More boxes than the shared memory has places for, and places that are given back.
TEST(MpiCommunicator, SendsWhatFindsNoPlaceInSharedMemory) {
  if (world->size() < 2) GTEST_SKIP() << "needs another rank";
  const Box box = whole({1, 64, 48, 64});  // 768 kB
  constexpr int n_redistributions = 60;
  Blob source = numbered(box);
  Blob target = Blob::allocate(source.size_bytes());
  using List = std::vector<comm::Message>;
  const List sends{{1, dense_view(box, ElementType::f32, source.data())}};
  const List receives{{0, dense_view(box, ElementType::f32, target.data())}};
  for (int turn = 0; turn < 2; ++turn) {
    std::vector<std::unique_ptr<comm::Redistribution>> all;
    for (int i = 0; i < n_redistributions; ++i)
      all.push_back(
          world->redistribution(20 + i, world->rank() == 0 ? sends : List{}, world->rank() == 1 ? receives : List{}));
    for (const auto& messages : all) {
      source.floats()[3] += 1;
      std::ranges::fill(target.floats(), 0.0F);
      messages->start();
      messages->finish_receives(patience);
      messages->finish_sends(patience);
      if (world->rank() != 1) continue;
      EXPECT_TRUE(std::ranges::equal(target.floats(), source.floats()));
    }
    world->barrier(patience);
  }
}

TEST(MpiCommunicator, RefusesTagsThatMpiDoesNotHave) {
  const Box box = whole({1});
  Blob memory = numbered(box);
  const View view = dense_view(box, ElementType::f32, memory.data());
  EXPECT_THROW((void)world->redistribution(std::numeric_limits<int>::max() - 1, {{0, view}}, {}), Bug);
  EXPECT_THROW((void)world->redistribution(-1, {{0, view}}, {}), Bug);
}

TEST(MpiCommunicator, ProbesEveryPairOfRanks) {
  const auto links = comm::probe_links(*world, patience);
  ASSERT_EQ(links.size(), static_cast<std::size_t>(world->size()));
  for (std::size_t a = 0; a < links.size(); ++a)
    for (std::size_t b = 0; b < links.size(); ++b) EXPECT_EQ(links[a][b].latency_us > 0, a != b);
}

}  // namespace
}  // namespace strake::test

int main(int argc, char** argv) { return strake::test::run_on_all_ranks(argc, argv); }

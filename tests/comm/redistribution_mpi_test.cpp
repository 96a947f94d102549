// SPDX-License-Identifier: Apache-2.0
// The same checks over MPI, and what only MPI can do wrong.

#include <thread>

#include "comm/link_probe.hpp"
#include "comm/mpi_communicator.hpp"
#include "core/errors.hpp"
#include "redistribution_cases.hpp"

namespace strake::test {
namespace {

comm::Communicator* world = nullptr;

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

TEST(MpiCommunicator, NamesTheRankThatIsSilent) {
  if (world->size() < 2) GTEST_SKIP() << "needs another rank";
  const Box box = whole({16});
  Blob memory = numbered(box);
  const int other = world->rank() == 0 ? 1 : 0;
  const auto never = world->redistribution(99, {}, {{other, dense_view(box, ElementType::f32, memory.data())}});
  if (world->rank() == 0) {
    never->start();
    try {
      never->finish_receives(50ms);
      FAIL() << "nobody sent anything";
    } catch (const PeerLost& error) {
      EXPECT_NE(std::string(error.what()).find("rank"), std::string::npos);
      EXPECT_NE(std::string(error.what()).find("1"), std::string::npos);
    }
  } else if (world->rank() == 1) {
    // Late, but it comes: an open receive must not be left behind when MPI ends.
    std::this_thread::sleep_for(300ms);
    const auto late = world->redistribution(99, {{0, dense_view(box, ElementType::f32, memory.data())}}, {});
    late->start();
    late->finish_sends(patience);
  }
  if (world->rank() == 0) never->finish_receives(patience);
  world->barrier(patience);
}

TEST(MpiCommunicator, ProbesEveryPairOfRanks) {
  const auto links = comm::probe_links(*world, patience);
  ASSERT_EQ(links.size(), static_cast<std::size_t>(world->size()));
  for (std::size_t a = 0; a < links.size(); ++a)
    for (std::size_t b = 0; b < links.size(); ++b) EXPECT_EQ(links[a][b].latency_us > 0, a != b);
}

}  // namespace
}  // namespace strake::test

int main(int argc, char** argv) {
  strake::comm::MpiSession mpi(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  const auto communicator = strake::comm::make_mpi_communicator();
  strake::test::world = communicator.get();
  return RUN_ALL_TESTS();
}

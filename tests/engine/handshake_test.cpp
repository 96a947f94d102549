// SPDX-License-Identifier: Apache-2.0
#include "engine/handshake.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "comm/thread_communicator.hpp"
#include "core/errors.hpp"

namespace strake::engine {
namespace {

RankInfo info(const std::string& host, std::vector<int> cores, int online) {
  return {.host = host,
          .build = "b",
          .cpu = "c",
          .library = "l",
          .instruction_set = "i",
          .instruction_set_level = 1,
          .cores = std::move(cores),
          .online_cores = online};
}

TEST(ShareCores, DividesCoresAmongRanksThatShareThem) {
  const std::vector<RankInfo> infos(2, info("a", {0, 1, 2, 3}, 4));
  const CoreShare first = share_cores(infos, 0, 0);
  const CoreShare second = share_cores(infos, 1, 0);
  EXPECT_EQ(first.threads, 2);
  EXPECT_EQ(first.cores, (std::vector<int>{0, 1}));
  EXPECT_EQ(second.cores, (std::vector<int>{2, 3}));
  EXPECT_TRUE(first.warning.empty());
}

TEST(ShareCores, WarnsOnceWhenTheLauncherLeavesCoresUnused) {
  const std::vector<RankInfo> infos{info("a", {0}, 8), info("a", {1}, 8)};
  EXPECT_NE(share_cores(infos, 0, 0).warning.find("2 of 8 cores"), std::string::npos);
  EXPECT_TRUE(share_cores(infos, 1, 0).warning.empty());
}

TEST(ShareCores, LeavesBindingToTheSystemWhenThereAreMoreThreadsThanCores) {
  const std::vector<RankInfo> infos(3, info("a", {0, 1}, 2));
  const CoreShare share = share_cores(infos, 2, 0);
  EXPECT_EQ(share.threads, 1);
  EXPECT_TRUE(share.cores.empty());
}

TEST(ShareCores, KeepsHostsApart) {
  const std::vector<RankInfo> infos{info("a", {0, 1}, 2), info("b", {0, 1}, 2)};
  EXPECT_EQ(share_cores(infos, 1, 0).threads, 2);
  EXPECT_EQ(ranks_on_host(infos, 1), (std::vector<int>{1}));
}

TEST(EqualBuilds, NameTheHostThatDiffers) {
  std::vector<RankInfo> infos{info("a", {0}, 1), info("edge-7", {0}, 1)};
  EXPECT_NO_THROW(check_equal_builds(infos, true));
  infos[1].build = "other";
  try {
    check_equal_builds(infos, false);
    FAIL() << "another build was accepted";
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("edge-7"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("other"), std::string::npos);
  }
}

TEST(EqualBuilds, MindTheKernelLibraryOnlyWhenBitsMatter) {
  std::vector<RankInfo> infos{info("a", {0}, 1), info("b", {0}, 1)};
  infos[1].library = "oneDNN 3";
  EXPECT_NO_THROW(check_equal_builds(infos, false));
  EXPECT_THROW(check_equal_builds(infos, true), InvalidInput);
}

TEST(ExchangeInfos, GivesEverybodyEverybodysWord) {
  const auto communicators = comm::make_thread_communicators(3);
  std::vector<std::vector<RankInfo>> heard(3);
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < 3; ++rank)
      threads.emplace_back([&, rank] {
        const auto place = static_cast<std::size_t>(rank);
        heard[place] = exchange_infos(*communicators[place], info("host " + std::to_string(rank), {rank, 9}, 16),
                                      std::chrono::seconds(10));
      });
  }
  for (const auto& infos : heard) {
    ASSERT_EQ(infos.size(), 3U);
    EXPECT_EQ(infos[2].host, "host 2");
    EXPECT_EQ(infos[1].cores, (std::vector<int>{1, 9}));
    EXPECT_EQ(infos[0].online_cores, 16);
  }
}

}  // namespace
}  // namespace strake::engine

// SPDX-License-Identifier: Apache-2.0
#include "engine/weight_cache.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/small_graphs.hpp"
#include "engine/session.hpp"
#include "io/scratch_folder.hpp"
#include "partition/planner.hpp"
#include "property_cases.hpp"

namespace strake::engine {
namespace {

namespace fs = std::filesystem;

class WeightCacheOnDisk : public io::test::ScratchFolder {
 protected:
  static Blob numbers(std::size_t n, unsigned seed) {
    return Blob::copy_of(test::Random(seed).values(static_cast<Index>(n)));
  }

  static bool loads(const WeightCache& cache, const Blob& values) {
    Blob found = Blob::allocate(values.size_bytes());
    return cache.load(hash_of(values), found) && std::memcmp(found.data(), values.data(), values.size_bytes()) == 0;
  }
};

TEST_F(WeightCacheOnDisk, GivesBackWhatItWasGiven) {
  const WeightCache cache(file("weights"));
  const Blob one = numbers(20000, 1);
  const Blob other = numbers(20000, 2);
  EXPECT_FALSE(loads(cache, one));
  cache.store(hash_of(one), one);
  EXPECT_TRUE(loads(cache, one));
  EXPECT_FALSE(loads(cache, other));
}

TEST_F(WeightCacheOnDisk, LeavesOutWhatIsNotWorthAFile) {
  const WeightCache cache(file("weights"));
  const Blob few = numbers(100, 1);
  EXPECT_TRUE(hash_of(few).is_zero());
  cache.store(hash_of(few), few);
  EXPECT_FALSE(loads(cache, few));
  EXPECT_FALSE(fs::exists(file("weights")));
}

TEST_F(WeightCacheOnDisk, RemovesWhatIsDamaged) {
  const WeightCache cache(file("weights"));
  const Blob values = numbers(20000, 1);
  for (const std::uintmax_t n_bytes : {std::uintmax_t{80000}, std::uintmax_t{1000}}) {
    cache.store(hash_of(values), values);
    const fs::path stored = fs::directory_iterator(file("weights"))->path();
    std::fstream(stored, std::ios::in | std::ios::out | std::ios::binary).seekp(500).put('x');
    fs::resize_file(stored, n_bytes);
    EXPECT_FALSE(loads(cache, values));
    EXPECT_FALSE(fs::exists(stored));
  }
}

TEST_F(WeightCacheOnDisk, RemovesWhatWasNotUsedForTheLongestTime) {
  const WeightCache cache(file("weights"), 200000);
  const Blob first = numbers(20000, 1);
  const Blob second = numbers(20000, 2);
  const Blob third = numbers(20000, 3);
  cache.store(hash_of(first), first);
  cache.store(hash_of(second), second);
  for (const fs::directory_entry& entry : fs::directory_iterator(file("weights")))
    fs::last_write_time(entry, fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_TRUE(loads(cache, first));
  cache.store(hash_of(third), third);
  cache.trim();
  EXPECT_TRUE(loads(cache, first));
  EXPECT_FALSE(loads(cache, second));
  EXPECT_TRUE(loads(cache, third));
}

TEST_F(WeightCacheOnDisk, DoesWithoutAFolder) {
  std::ofstream(file("weights")) << "in the way";
  const WeightCache cache(file("weights"));
  const Blob values = numbers(20000, 1);
  cache.store(hash_of(values), values);
  cache.trim();
  EXPECT_FALSE(loads(cache, values));
}

struct Outcome {
  TensorMap outputs;
  std::size_t sent_bytes = 0;
};

// One frame on ranks of so many hosts, all strips alike.
Outcome run_frame(const test::Case& one, const std::vector<int>& hosts) {
  return test::on_threads(
      static_cast<int>(hosts.size()),
      [&](int rank, comm::Communicator* communicator) {
        Settings settings;
        settings.exactness = kernels::Exactness::exact;
        settings.threads = 1;
        Session session(*communicator, settings);
        session.load([&] { return Model(test::deep_copy(one.graph)); });
        session.compile(rank == 0 ? one.plan : Plan{});
        (void)session.run(rank == 0 ? one.inputs : TensorMap{});
        Outcome outcome;
        if (rank == 0) outcome = {session.outputs(), session.sent_weight_bytes()};
        communicator->barrier(std::chrono::minutes(1));
        return outcome;
      },
      hosts);
}

class WeightsOfASession : public io::test::ScratchFolder {
 protected:
  void SetUp() override {
    io::test::ScratchFolder::SetUp();
    setenv("XDG_CACHE_HOME", file("cache").c_str(), 1);
    test::Random random(1);
    one_.graph.name = "network";
    OpId last = test::add_input(one_.graph, {1, 3, 24, 24});
    for (int i = 0; i < 3; ++i) last = test::add_conv3(one_.graph, last, 48);
    test::add_output(one_.graph, last);
    for (Weight& weight : one_.graph.weights) weight.values = Blob::copy_of(random.values(volume(weight.shape)));
    one_.inputs[one_.graph.inputs.front().name] = {
        ElementType::f32, {1, 3, 24, 24}, Blob::copy_of(random.values(3 * 24 * 24))};
    expected_ = test::run_single(one_, kernels::Exactness::exact);
  }

  Outcome run_checked(const std::vector<int>& hosts) {
    one_.plan = partition::equal_plan(one_.graph, static_cast<int>(hosts.size()), SplitAxis::rows);
    Outcome outcome = run_frame(one_, hosts);
    test::expect_equal_bits(outcome.outputs, expected_);
    return outcome;
  }

  test::Case one_;
  TensorMap expected_;
};

// Of its three convolutions two have weights of 83 KB, which are worth a file.
constexpr std::size_t large_bytes = std::size_t{2} * 48 * 48 * 9 * sizeof(float);

TEST_F(WeightsOfASession, AreSentOnceToEachHost) {
  const std::size_t all = run_checked({0, 1}).sent_bytes;
  EXPECT_GT(all, large_bytes);
  EXPECT_EQ(run_checked({0, 1}).sent_bytes, all - large_bytes);
  for (const fs::directory_entry& entry : fs::directory_iterator(file("cache/strake/weights")))
    fs::resize_file(entry, 70000);
  EXPECT_EQ(run_checked({0, 1}).sent_bytes, all);
  EXPECT_EQ(run_checked({0, 1}).sent_bytes, all - large_bytes);
}

TEST_F(WeightsOfASession, AreNotKeptOnRankZerosHost) {
  const std::size_t all = run_checked({0, 0}).sent_bytes;
  EXPECT_EQ(run_checked({0, 0}).sent_bytes, all);
  EXPECT_FALSE(fs::exists(file("cache/strake/weights")));
}

}  // namespace
}  // namespace strake::engine

// SPDX-License-Identifier: Apache-2.0
#include "engine/frame_service.hpp"

#include <gtest/gtest.h>

#include "core/unroll.hpp"
#include "partition/planner.hpp"
#include "property_cases.hpp"

namespace strake::engine {
namespace {

using std::chrono::milliseconds;

constexpr int n_ranks = 3;

// What every rank counted, and rank 0's outputs.
struct Counts {
  int cycles = 0;
  std::string told;
  std::vector<TensorMap> outputs;
};

// A tail that refuses every third frame: rank 0 learns it, nobody else is disturbed.
Tail refusing_tail(std::shared_ptr<int> calls) {
  Tail tail;
  tail.nodes.push_back({"judge", "Test", "it refuses"});
  tail.run = [calls = std::move(calls)](const TensorMap& outputs) {
    if (++*calls % 3 == 0) throw InvalidInput("the third frame");
    return outputs;
  };
  return tail;
}

template <class Frames>
std::vector<Counts> serve(const test::Case& one, Tail tail, const Frames& frames, std::size_t in_flight = 1) {
  std::vector<Counts> counts(n_ranks);
  (void)test::on_threads(n_ranks, [&](int rank, comm::Communicator* communicator) {
    Counts& mine = counts[static_cast<std::size_t>(rank)];
    Settings settings;
    settings.exactness = kernels::Exactness::exact;
    settings.threads = 1;
    Session session(*communicator, settings);
    session.load([&] {
      Model model(test::deep_copy(one.graph));
      model.tail = tail;
      return model;
    });
    Plan plan = partition::equal_plan(session.graph(), n_ranks, session.axis());
    if (in_flight > 1) plan = cycle_plan(std::vector<Plan>(in_flight, plan), "equal");
    session.compile(session.is_root() ? std::move(plan) : Plan{});
    FrameService service(session, *communicator,
                         {.after_cycle = [&] { ++mine.cycles; },
                          .told =
                              [&](std::span<const std::byte> message) {
                                mine.told += comm::text_from_bytes({message.begin(), message.end()}) + ";";
                              }});
    if (session.is_root()) {
      frames(service, session, mine);
      service.close();
      service.close();
    } else {
      service.work();
    }
    communicator->barrier(std::chrono::seconds(60));
    return 0;
  });
  return counts;
}

TEST(FrameService, RanksFollowWhatRootSays) {
  const test::Case one = test::make_case(7, n_ranks);
  const TensorMap expected = test::run_single(one, kernels::Exactness::exact);
  const std::vector<Counts> counts = serve(one, {}, [&](FrameService& service, Session& session, Counts& mine) {
    for (int frame = 0; frame < 5; ++frame) {
      // Longer than the deadline of a frame's messages would be in a job that hurries.
      if (frame == 2) std::this_thread::sleep_for(milliseconds(30));
      service.run(std::span(&one.inputs, 1), frame == 0 ? Frame::warm_up : Frame::counted);
      mine.outputs.push_back(session.outputs());
      if (frame == 1) service.tell(comm::text_to_bytes("slower"));
      if (frame == 3) service.tell({});
    }
  });
  for (const Counts& rank : counts) {
    EXPECT_EQ(rank.cycles, 5);
    EXPECT_EQ(rank.told, "slower;;");
  }
  for (const TensorMap& outputs : counts.front().outputs) test::expect_equal_bits(outputs, expected);
}

TEST(FrameService, FramesFollowOneThatTheTailRefused) {
  const test::Case one = test::make_case(8, n_ranks);
  const auto calls = std::make_shared<int>(0);
  int refused = 0;
  const std::vector<Counts> counts =
      serve(one, refusing_tail(calls), [&](FrameService& service, Session& session, Counts& mine) {
        for (int frame = 0; frame < 7; ++frame) {
          try {
            service.run(std::span(&one.inputs, 1));
            mine.outputs.push_back(session.outputs());
          } catch (const InvalidInput&) {
            ++refused;
          }
        }
      });
  EXPECT_EQ(refused, 2);
  EXPECT_EQ(counts.front().outputs.size(), 5U);
  for (const Counts& rank : counts) EXPECT_EQ(rank.cycles, 7);
}

TEST(FrameService, TheLastFrameFillsACycleUp) {
  const test::Case one = test::make_case(10, n_ranks);
  test::Case other = one;
  test::Random random(11);
  for (auto& [name, tensor] : other.inputs) tensor.data = Blob::copy_of(random.values(volume(tensor.shape)));
  const TensorMap expected = test::run_single(one, kernels::Exactness::exact);
  const TensorMap expected_of_other = test::run_single(other, kernels::Exactness::exact);
  (void)serve(
      one, {},
      [&](FrameService& service, Session& session, Counts&) {
        const std::vector<TensorMap> inputs{one.inputs, other.inputs};
        service.run(inputs);
        test::expect_equal_bits(session.outputs(0), expected);
        for (const int frame : {1, 2}) test::expect_equal_bits(session.outputs(frame), expected_of_other);
        service.run(std::span(&other.inputs, 1));
        for (const int frame : {0, 1, 2}) test::expect_equal_bits(session.outputs(frame), expected_of_other);
        EXPECT_THROW(service.run({}), Bug);
        EXPECT_THROW(service.run(std::vector<TensorMap>(4, one.inputs)), Bug);
      },
      3);
}

TEST(FrameService, OnlyRootRunsFrames) {
  const test::Case one = test::make_case(9, n_ranks);
  (void)serve(one, {}, [&](FrameService& service, Session&, Counts&) { EXPECT_THROW(service.work(), Bug); });
}

}  // namespace
}  // namespace strake::engine

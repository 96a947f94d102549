// SPDX-License-Identifier: Apache-2.0
#include "engine/trace.hpp"

#include <gtest/gtest.h>

#include "property_cases.hpp"

namespace strake::engine {
namespace {

using std::chrono::nanoseconds;

std::vector<std::int64_t> numbers(const std::vector<Moment>& moments) {
  std::vector<std::int64_t> all;
  for (const Moment moment : moments) all.push_back(nanoseconds_of(moment));
  return all;
}

// Frames of one step, whose moments are 10 f, 10 f + 1, ...
void record(Recorder& recorder, int frame) {
  int place = 0;
  for (Moment& moment : recorder.next_frame()) moment = Moment(nanoseconds(10 * frame + place++));
}

TEST(Recorder, KeepsTheLastFrames) {
  Recorder recorder(1, 2);
  EXPECT_TRUE(recorder.moments().empty());
  record(recorder, 0);
  EXPECT_EQ(numbers(recorder.moments()), (std::vector<std::int64_t>{0, 1, 2, 3}));
  record(recorder, 1);
  EXPECT_EQ(numbers(recorder.moments()), (std::vector<std::int64_t>{0, 1, 2, 3, 10, 11, 12, 13}));
  record(recorder, 2);
  EXPECT_EQ(numbers(recorder.moments()), (std::vector<std::int64_t>{10, 11, 12, 13, 20, 21, 22, 23}));
  record(recorder, 3);
  EXPECT_EQ(numbers(recorder.moments()), (std::vector<std::int64_t>{20, 21, 22, 23, 30, 31, 32, 33}));
  EXPECT_EQ(recorder.n_frames(), 4U);
}

TEST(Recorder, KeepsOneFrameAtLeast) {
  Recorder recorder(1, 0);
  for (int frame = 0; frame < 3; ++frame) record(recorder, frame);
  EXPECT_EQ(numbers(recorder.moments()), (std::vector<std::int64_t>{20, 21, 22, 23}));
}

// What a run over threads leaves: the trace, and what it should say.
struct Recorded {
  Trace trace;
  std::vector<std::vector<TraceStep>> steps;               // [rank]
  std::vector<std::vector<std::vector<std::int64_t>>> ns;  // [rank][frame][moment], by the clock that threads share
};

constexpr int frames = 4;
constexpr std::size_t kept = 3;

// Clocks are hours apart: what ranks record and what they answer is shifted.
std::chrono::hours shift_of(int rank) { return std::chrono::hours(rank % 2 == 0 ? rank : -rank); }

void run_rank(const test::Case& one, int rank, comm::Communicator& communicator, Recorded& recorded) {
  set_threads(1);
  Graph graph = test::deep_copy(one.graph);
  kernels::WeightStore weights(graph);
  const Program program(graph, one.plan, rank, &communicator, weights, {kernels::Exactness::fastest, Messages::sent});
  Executor executor(program, {});
  const auto patience = std::chrono::seconds(60);
  const auto clock = [rank] { return nanoseconds_of(std::chrono::steady_clock::now() + shift_of(rank)); };

  Recorder recorder(program.steps().size(), kept);
  const auto before = comm::probe_clocks(communicator, clock, patience);
  for (int frame = 0; frame < frames; ++frame) {
    std::vector<Moment> moments(program.steps().size() + 3);
    moments.front() = std::chrono::steady_clock::now();
    if (rank == 0) write_inputs(graph.inputs, program, one.inputs);
    (void)executor.run(std::span(moments).subspan(1, moments.size() - 2));
    moments.back() = std::chrono::steady_clock::now();
    recorded.ns[static_cast<std::size_t>(rank)].push_back(numbers(moments));
    const std::span<Moment> place = recorder.next_frame();
    ASSERT_EQ(place.size(), moments.size());
    for (std::size_t i = 0; i < place.size(); ++i) place[i] = moments[i] + shift_of(rank);
  }
  const auto after = comm::probe_clocks(communicator, clock, patience);
  Trace trace = gather_trace(communicator, program, recorder, before, after, patience);
  std::vector<Index> cells(graph.ops.size());
  for (const Step& step : program.steps())
    if (step.kernel != nullptr) cells[static_cast<std::size_t>(step.op)] += step.box.volume();
  for (OpId id = 0; id < graph.size(); ++id) {
    Index planned = 0;
    if (as<Input>(graph.op(id)) == nullptr && as<Constant>(graph.op(id)) == nullptr)
      for (const Box& box : one.plan.boxes(id, rank)) planned += box.volume();
    EXPECT_EQ(cells[static_cast<std::size_t>(id)], planned) << graph.op(id).name;
  }
  for (const Step& step : program.steps())
    recorded.steps[static_cast<std::size_t>(rank)].push_back(
        {step.kind, step.op, step.kernel != nullptr ? to_string(step.box) : "",
         step.kernel != nullptr ? step.kernel->implementation() : ""});
  if (rank == 0)
    recorded.trace = std::move(trace);
  else
    EXPECT_TRUE(trace.ranks.empty());
  communicator.barrier(patience);
}

Recorded record_case(const test::Case& one) {
  const auto n = static_cast<std::size_t>(one.plan.n_ranks);
  Recorded recorded;
  recorded.steps.resize(n);
  recorded.ns.resize(n);
  const auto ends = comm::make_thread_communicators(one.plan.n_ranks);
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < one.plan.n_ranks; ++rank)
    threads.emplace_back([&, rank] { run_rank(one, rank, *ends[static_cast<std::size_t>(rank)], recorded); });
  threads.clear();
  return recorded;
}

void expect_what_was_done(const Recorded& recorded, std::size_t rank) {
  const RankTrace& one = recorded.trace.ranks[rank];
  ASSERT_EQ(one.steps.size(), recorded.steps[rank].size());
  for (std::size_t i = 0; i < one.steps.size(); ++i) {
    const TraceStep& expected = recorded.steps[rank][i];
    EXPECT_EQ(one.steps[i].kind, expected.kind);
    EXPECT_EQ(one.steps[i].op, expected.op);
    EXPECT_EQ(one.steps[i].box, expected.box);
    EXPECT_EQ(one.steps[i].implementation, expected.implementation);
  }
  ASSERT_EQ(one.frames.size(), kept);
  for (std::size_t frame = 0; frame < kept; ++frame) {
    EXPECT_TRUE(std::is_sorted(one.frames[frame].begin(), one.frames[frame].end()));
    const std::vector<std::int64_t>& expected = recorded.ns[rank][frames - kept + frame];
    ASSERT_EQ(one.frames[frame].size(), expected.size());
    // Between two readings, each off by the error at most, and a nanosecond for rounding.
    for (std::size_t i = 0; i < expected.size(); ++i)
      ASSERT_LE(std::abs(one.frames[frame][i] - expected[i]), one.clock_error_ns + 1) << "rank " << rank;
  }
}

TEST(GatherTrace, TellsWhatEveryRankDidByTheClockOfRank0) {
  std::size_t n_steps = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Recorded recorded = record_case(test::make_case(seed, 1 + static_cast<int>(seed % 4)));
    ASSERT_EQ(recorded.trace.ranks.size(), 1 + seed % 4);
    EXPECT_EQ(recorded.trace.first_frame, frames - kept);
    for (std::size_t rank = 0; rank < recorded.trace.ranks.size(); ++rank) {
      expect_what_was_done(recorded, rank);
      EXPECT_FALSE(recorded.trace.ranks[rank].host.empty());
      n_steps += recorded.trace.ranks[rank].steps.size();
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(n_steps, 200U);
}

}  // namespace
}  // namespace strake::engine

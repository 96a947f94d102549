// SPDX-License-Identifier: Apache-2.0
// Plans change while frames run: which events there are depends on the machine, the bits of every frame do not.

#include "engine/live_balance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "core/small_graphs.hpp"
#include "io/scratch_folder.hpp"
#include "partition/planner.hpp"
#include "property_cases.hpp"

namespace strake::engine {
namespace {

// Profiles are not to be found by other tests.
class LiveBalanceOfThreads : public io::test::ScratchFolder {
 protected:
  void SetUp() override {
    io::test::ScratchFolder::SetUp();
    setenv("XDG_CACHE_HOME", file("cache").c_str(), 1);
  }
};

// Convolutions that take some milliseconds together, a residual among them, and a layer behind that cannot be cut.
Graph network(test::Random& random) {
  Graph graph;
  graph.name = "network";
  OpId last = test::add_input(graph, {1, 3, 32, 32});
  last = test::add_conv3(graph, last, 32);
  const OpId earlier = last;
  for (int i = 0; i < 3; ++i) last = test::add_conv3(graph, last, 32);
  last = test::add_op(graph, {last, earlier}, Binary{.kind = BinaryKind::add, .post_ops = {}});
  last = test::add_conv3(graph, last, 16);
  test::add_output(graph, last);
  for (Weight& weight : graph.weights) weight.values = Blob::copy_of(random.values(volume(weight.shape)));
  return graph;
}

TensorMap inputs_of(const Graph& graph, unsigned seed) {
  test::Random random(seed);
  const Shape& shape = graph.shape(graph.inputs.front().op);
  return {{graph.inputs.front().name, {ElementType::f32, shape, Blob::copy_of(random.values(volume(shape)))}}};
}

constexpr int n_inputs = 3;

// What rank 0 tells the others before each frame: the factor of rank 1, 0 for the end.
double tell(comm::Communicator& communicator, double factor) {
  comm::Bytes bytes(sizeof(factor));
  std::memcpy(bytes.data(), &factor, sizeof(factor));
  bytes = communicator.broadcast(std::move(bytes), 0, std::chrono::minutes(5));
  std::memcpy(&factor, bytes.data(), sizeof(factor));
  return factor;
}

// What rank 0 saw.
struct Watched {
  std::vector<partition::LiveEvent> events;
  long frames = 0;
  long differing = 0;                                    // frames with other bits than one rank gives
  std::vector<std::vector<std::vector<BoxList>>> plans;  // one after the other
};

int switches_in(const std::vector<partition::LiveEvent>& events) {
  int n = 0;
  for (const partition::LiveEvent& event : events) n += event.what == "switched" || event.what == "rolled-back" ? 1 : 0;
  return n;
}

bool equal_bits(const TensorMap& a, const TensorMap& b) {
  const HostTensor& one = a.begin()->second;
  const HostTensor& other = b.begin()->second;
  return one.data.size_bytes() == other.data.size_bytes() &&
         std::memcmp(one.data.data(), other.data.data(), one.data.size_bytes()) == 0;
}

// Of frames at one factor: more than a change of plans takes, on fast machines and on slow ones.
constexpr long frames_of_phase = 150;
constexpr std::chrono::seconds time_of_phase{3};

// Frames with rank 1 at one factor after the other, each until the plan has changed, and a little longer.
Watched run_frames(int n_ranks, const std::vector<double>& factors) {
  test::Random random(1);
  test::Case one{.graph = network(random), .plan = {}, .inputs = {}};
  std::vector<TensorMap> inputs;
  std::vector<TensorMap> expected;
  for (unsigned i = 0; i < n_inputs; ++i) {
    inputs.push_back(inputs_of(one.graph, 10 + i));
    one.inputs = inputs.back();
    expected.push_back(test::run_single(one, kernels::Exactness::exact));
  }
  Watched watched;
  (void)test::on_threads(n_ranks, [&](int rank, comm::Communicator* communicator) {
    Settings settings;
    settings.exactness = kernels::Exactness::exact;
    settings.threads = 1;
    settings.timeout = std::chrono::minutes(1);
    Session session(*communicator, settings);
    session.keep_weights();
    session.load([&] { return Model(test::deep_copy(one.graph)); });
    std::optional<Profile> profile = session.profile();
    Plan plan;
    if (rank == 0) plan = partition::make_plan(partition::CostModel(session.graph(), *profile), "auto");
    session.compile(std::move(plan));
    LiveBalance live(session, profile, {});
    std::size_t phase = 0;
    int switched = 0;
    long until = 0;  // frame at which the next phase begins; 0 while the plan has not changed
    long begin = 0;  // frame
    auto began = std::chrono::steady_clock::now();
    while (true) {
      const bool over = rank == 0 && phase == factors.size();
      const double factor = tell(*communicator, over ? 0 : factors[phase]);
      if (factor == 0) break;
      if (rank == 1) session.emulate_slowdown(factor);
      const auto place = rank == 0 ? static_cast<std::size_t>(watched.frames % n_inputs) : 0;
      (void)session.run(rank == 0 ? inputs[place] : TensorMap{});
      live.after_cycle();
      if (rank != 0) continue;
      if (!equal_bits(session.outputs(), expected[place])) ++watched.differing;
      ++watched.frames;
      if (watched.plans.empty() || watched.plans.back() != session.plan().produces)
        watched.plans.push_back(session.plan().produces);
      const int now = switches_in(live.events());
      if (std::exchange(switched, now) != now) until = watched.frames + 15;
      const bool long_enough =
          watched.frames - begin >= frames_of_phase && std::chrono::steady_clock::now() - began >= time_of_phase;
      if (until > 0 ? watched.frames < until : !long_enough) continue;
      until = 0;
      begin = watched.frames;
      began = std::chrono::steady_clock::now();
      ++phase;
    }
    live.close();
    if (rank == 0) watched.events = live.events();
    communicator->barrier(std::chrono::minutes(1));
    return 0;
  });
  return watched;
}

TEST_F(LiveBalanceOfThreads, ChangesPlansWithoutChangingABit) {
  for (const int n_ranks : {2, 3}) {
    SCOPED_TRACE(std::to_string(n_ranks) + " ranks");
    // How many switches there are is a matter of the machine's other work: where speeds are never steady, none.
    Watched watched;
    for (int attempt = 0; attempt < 4 && switches_in(watched.events) == 0; ++attempt) {
      watched = run_frames(n_ranks, {8, 1, 8});
      EXPECT_EQ(watched.differing, 0) << "of " << watched.frames << " frames";
    }
    EXPECT_GE(switches_in(watched.events), 1);
    EXPECT_GE(watched.plans.size(), 2U);
    for (const partition::LiveEvent& event : watched.events) {
      EXPECT_FALSE(event.why.empty());
      EXPECT_EQ(event.factors.size(), static_cast<std::size_t>(n_ranks));
    }
  }
}

TEST_F(LiveBalanceOfThreads, DoesNothingOnOneRank) {
  const auto ends = comm::make_thread_communicators(1);
  test::Random random(1);
  const Graph graph = network(random);
  Session session(*ends.front(), {});
  session.load([&] { return Model(test::deep_copy(graph)); });
  session.compile(single_rank_plan(session.graph(), 1, 0));
  LiveBalance live(session, {}, {});
  for (int i = 0; i < 3; ++i) {
    (void)session.run(inputs_of(graph, 1));
    live.after_cycle();
  }
  live.close();
  EXPECT_TRUE(live.events().empty());
}

}  // namespace
}  // namespace strake::engine

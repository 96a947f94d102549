// SPDX-License-Identifier: Apache-2.0
#include "partition/segment_cost.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "core/view.hpp"
#include "partition/random_graph.hpp"

namespace strake::partition {
namespace {

using test::add_conv;
using test::add_input;
using test::add_op;
using test::add_output;
using test::pick;
using test::Random;

std::size_t at(Index index) { return static_cast<std::size_t>(index); }

/// T in boxes, by the functions of core alone: what `rank` computes of `ops` for `rows` of the last one, and the
/// messages that bring what these read of tensors before them.
double reference_us(const CostModel& costs, const Plan& before, const std::vector<OpId>& ops, int rank, Interval rows) {
  const Graph& graph = costs.graph();
  std::vector<Box> need(graph.ops.size());
  for (OpId id = 0; id < graph.size(); ++id) need[at(id)] = nothing(graph.shape(id).size());
  need[at(ops.back())] = with_axis(whole(graph.shape(ops.back())), 2, rows);
  double us = 0;
  for (auto id = ops.rbegin(); id != ops.rend(); ++id) {
    us += costs.compute_us(rank, *id, need[at(*id)]);
    const std::vector<Box> sources = input_boxes(graph, *id, need[at(*id)]);
    for (std::size_t i = 0; i < sources.size(); ++i) {
      Box& box = need[at(graph.op(*id).inputs[i])];
      box = hull(box, sources[i]);
    }
  }
  for (OpId id = 0; id < graph.size(); ++id) {
    if (std::find(ops.begin(), ops.end(), id) != ops.end()) continue;
    std::vector<BoxList> needs(at(before.n_ranks));
    needs[at(rank)] = {need[at(id)]};
    for (const Transfer& transfer : transfers(before.produces[at(id)], needs))
      us += costs.transfer_us(transfer.src, rank, static_cast<double>(dense_bytes(transfer.box, graph.op(id).type)));
  }
  return us;
}

/// input -> first -> second, which also adds a residual of first's input `stem` where that has its shape.
struct Case {
  Graph graph;
  std::vector<OpId> before;   // placed already, at random cuts
  std::vector<OpId> segment;  // to be placed
};

Case random_case(Random& random, int n_fused) {
  Case made;
  Graph& graph = made.graph;
  const OpId input = add_input(graph, {1, 2, pick(random, 8, 24), 5});
  const OpId stem = add_conv(graph, input, 3, test::square({.kernel = 3, .pad_begin = 1, .pad_end = 1}));
  made.before = {stem};
  OpId last = stem;
  for (int i = 0; i < n_fused; ++i) {
    const Index kernel = pick(random, 1, 5);
    const Index pad = kernel / 2;
    WindowAxis window{.kernel = kernel, .pad_begin = pad, .pad_end = kernel - 1 - pad};
    if (i + 1 == n_fused && pick(random, 0, 1) == 0) window.stride = 2;
    last = add_conv(graph, last, 3, test::square(window));
    if (graph.shape(last) == graph.shape(stem) && pick(random, 0, 1) == 0) {
      as<Conv>(graph.op(last))->post_ops = {AddInput{}};
      graph.op(last).inputs.push_back(stem);
    }
    made.segment.push_back(last);
  }
  add_output(graph, add_op(graph, {last}, Elementwise{.function = {}}));
  return made;
}

double brute_force(const CostModel& costs, const Plan& before, const std::vector<OpId>& ops, int n_ranks) {
  const Index n_rows = costs.graph().shape(ops.back())[2];
  // Every T once, since all cuts look them up.
  std::vector<double> table(at(n_ranks * (n_rows + 1) * (n_rows + 1)));
  const auto cost = [&](int rank, Index begin, Index end) -> double& {
    return table[at((rank * (n_rows + 1) + begin) * (n_rows + 1) + end)];
  };
  for (int rank = 0; rank < n_ranks; ++rank)
    for (Index begin = 0; begin < n_rows; ++begin)
      for (Index end = begin + 1; end <= n_rows; ++end)
        cost(rank, begin, end) = reference_us(costs, before, ops, rank, {begin, end});

  double best = std::numeric_limits<double>::infinity();
  std::vector<Index> cuts(at(n_ranks) + 1, 0);
  cuts.back() = n_rows;
  const auto try_all = [&](const auto& self, int position, double makespan) -> void {
    const Index begin = cuts[at(position)];
    if (position + 1 == n_ranks) {
      best = std::min(best, std::max(makespan, cost(position, begin, n_rows)));
      return;
    }
    for (Index end = begin; end <= n_rows; ++end) {
      cuts[at(position) + 1] = end;
      self(self, position + 1, std::max(makespan, cost(position, begin, end)));
    }
  };
  try_all(try_all, 0, 0);
  return best;
}

void expect_optimum(unsigned seed, int n_fused) {
  Random random(seed);
  const Case one = random_case(random, n_fused);
  const int n_ranks = static_cast<int>(pick(random, 1, 4));
  const CostModel costs(one.graph, test::random_profile(random, one.graph, n_ranks, SplitAxis::rows));
  const StripModel model(costs);
  std::vector<int> order;
  for (int rank = 0; rank < n_ranks; ++rank) order.push_back(rank);

  Plan before = empty_plan(one.graph, n_ranks);
  Holdings holdings{input_rows(model), input_rows(model)};
  for (const OpId id : one.before) {
    std::vector<Index> cuts = {0, one.graph.shape(id)[2]};
    while (cuts.size() <= order.size()) cuts.push_back(pick(random, 0, cuts[1]));
    std::sort(cuts.begin(), cuts.end());
    for (int rank = 0; rank < n_ranks; ++rank) {
      const Interval rows{cuts[at(rank)], cuts[at(rank) + 1]};
      holdings.produced[at(id)][at(rank)] = holdings.held[at(id)][at(rank)] = rows;
      if (!rows.empty()) before.boxes(id, rank) = {with_axis(whole(one.graph.shape(id)), 2, rows)};
    }
  }
  const SegmentCost segment(model, order, one.segment, holdings, TransferCosts::counted);
  const double expected = brute_force(costs, before, one.segment, n_ranks);
  EXPECT_NEAR(segment.divide().makespan_us, expected, 1e-9 * expected) << "seed " << seed;
}

TEST(SegmentCost, DividesOneTensorBestForTheCutsBeforeIt) {
  for (unsigned seed = 0; seed < 60; ++seed) expect_optimum(seed, 1);
}

TEST(SegmentCost, DividesAFusedSegmentBest) {
  for (unsigned seed = 100; seed < 160; ++seed) expect_optimum(seed, static_cast<int>(2 + seed % 3));
}

TEST(SegmentCost, IgnoresTransfersIfAsked) {
  Random random(7);
  const Case one = random_case(random, 2);
  const CostModel costs(one.graph, test::random_profile(random, one.graph, 2, SplitAxis::rows));
  const StripModel model(costs);
  const Holdings holdings{input_rows(model), input_rows(model)};
  const SegmentCost segment(model, {0, 1}, {one.segment.back()}, holdings, TransferCosts::ignored);
  EXPECT_DOUBLE_EQ(segment.us(1, 0, 3), costs.compute_us(1, one.segment.back(), 3));
}

// Rows 0-3 on rank 0, 4-7 on rank 1, 8-11 on rank 2; 10 bytes a row.
TEST(FetchCost, CountsAMessageForEachSourceAndWhatIsHeldNot) {
  Graph graph;
  add_output(graph, add_input(graph, {1, 1, 12, 1}));
  Profile profile{.model = {}, .axis = SplitAxis::rows, .ranks = std::vector<RankProfile>(3), .links = {}};
  for (RankProfile& rank : profile.ranks) rank.ops = {{.extents = {1}, .microseconds = {0}}};
  profile.links.assign(3, std::vector<Link>(3, Link{100, 1}));
  const CostModel costs(graph, profile);
  const std::vector<Interval> produced = {{0, 4}, {4, 8}, {8, 12}};
  const FetchCost fetch(costs, 0, 1, produced, {3, 8}, 12, 10);
  EXPECT_EQ(fetch.us({4, 8}), 0);
  EXPECT_EQ(fetch.us({3, 8}), 0);  // row 3 was fetched before
  EXPECT_EQ(fetch.us({2, 8}), 100 + 10);
  EXPECT_EQ(fetch.us({0, 12}), 2 * 100 + 7 * 10);
  EXPECT_EQ(fetch.us({9, 10}), 100 + 10);
  EXPECT_EQ(fetch.us({}), 0);
  const FetchCost idle(costs, 0, 0, produced, {}, 12, 10);
  EXPECT_EQ(idle.us({6, 10}), 2 * 100 + 4 * 10);
}

}  // namespace
}  // namespace strake::partition

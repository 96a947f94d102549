// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/small_graphs.hpp"
#include "partition/planner.hpp"

namespace strake::partition {
namespace {

// One convolution of 12 rows with 1 FLOP-proportional cost: 10 us a row on rank 0, 20 us on rank 1.
class Published : public testing::Test {
 protected:
  Published() {
    test::add_output(graph_, test::add_conv(graph_, test::add_input(graph_, {1, 1, 12, 1}), 1, {}));
    profile_ = {.model = {}, .axis = SplitAxis::rows, .ranks = {}, .links = {}};
    for (const double us : {120.0, 240.0}) {
      profile_.ranks.push_back({.host = {}, .ops = {{}, {.extents = {12}, .microseconds = {us}}}});
      profile_.links.emplace_back(2);
    }
  }

  Interval rows(int rank) const {
    const Plan plan = make_plan(CostModel(graph_, profile_), "oodp-published");
    const BoxList& boxes = plan.boxes(1, rank);
    return boxes.empty() ? Interval{} : boxes.front()[2];
  }

  Graph graph_;
  Profile profile_;
};

TEST_F(Published, StartsInProportionToThroughput) {
  EXPECT_EQ(rows(0), (Interval{0, 8}));
  EXPECT_EQ(rows(1), (Interval{8, 12}));
}

// Each row to rank 1 and back costs 4 + 4 bytes of 1.25 us. With 8 rows: 80 and 4 * 20 + 4 * 10 = 120, a gap of 40;
// with 9: 90 and 90.
TEST_F(Published, MovesRowsUntilTheGapStopsShrinking) {
  profile_.links[0][1] = profile_.links[1][0] = {0, 1.25};
  EXPECT_EQ(rows(0), (Interval{0, 9}));
  EXPECT_EQ(rows(1), (Interval{9, 12}));
}

TEST_F(Published, CannotLeaveADeviceOut) {
  profile_.links[0][1] = profile_.links[1][0] = {5000, 1};
  EXPECT_EQ(rows(1).size(), 1);
}

TEST_F(Published, GivesARowToDevicesTooSlowForOne) {
  profile_.ranks[1].ops[1].microseconds = {120000};
  EXPECT_EQ(rows(1), (Interval{11, 12}));
}

// Two convolutions of 12 rows, a pooling to 6 that takes no time, and one more convolution: 10 us a row on rank 0, 20
// us on rank 1.
class EdgeLd : public testing::Test {
 protected:
  EdgeLd() {
    OpId last = test::add_input(graph_, {1, 1, 12, 1});
    last = test::add_conv(graph_, last, 1, {});
    last = test::add_conv(graph_, last, 1, {});
    last =
        test::add_op(graph_, {last}, Pool{.kind = PoolKind::max, .window = {.h = {.kernel = 2, .stride = 2}, .w = {}}});
    test::add_output(graph_, test::add_conv(graph_, last, 1, {}));
    profile_ = {.model = {}, .axis = SplitAxis::rows, .ranks = {}, .links = {}};
    for (const double us : {10.0, 20.0}) {
      const OpCost twelve{.extents = {12}, .microseconds = {12 * us}};
      const OpCost six{.extents = {6}, .microseconds = {6 * us}};
      const OpCost nothing{.extents = {6}, .microseconds = {0}};
      profile_.ranks.push_back({.host = {}, .ops = {{}, twelve, twelve, nothing, six}});
      profile_.links.emplace_back(2);
    }
  }

  Interval rows(OpId id, int rank) const {
    const Plan plan = make_plan(CostModel(graph_, profile_), "edgeld");
    const BoxList& boxes = plan.boxes(id, rank);
    return boxes.empty() ? Interval{} : boxes.front()[2];
  }

  Graph graph_;
  Profile profile_;
};

TEST_F(EdgeLd, SharesConvolutionsByThroughputAndPoolsOnTheLeader) {
  for (const OpId conv : {1, 2}) {
    EXPECT_EQ(rows(conv, 0), (Interval{0, 8}));
    EXPECT_EQ(rows(conv, 1), (Interval{8, 12}));
  }
  EXPECT_EQ(rows(3, 0), (Interval{0, 6}));
  EXPECT_EQ(rows(3, 1), Interval{});
  EXPECT_EQ(rows(4, 0), (Interval{0, 4}));
  EXPECT_EQ(rows(4, 1), (Interval{4, 6}));
}

// A row takes rank 0 20 us, and rank 1 40 and 80 under way. With 8 and 4 rows 160 and 480 us, then 180 and 360, 200 and
// 240, and at last 220 and 120: the gap was smaller before, but no move is taken back, and a device down to a row ends
// it.
TEST_F(EdgeLd, MovesRowsWhetherOrNotTheGapShrinks) {
  // Each row to rank 1 and back is 4 + 4 bytes of 10 us.
  profile_.links[0][1] = profile_.links[1][0] = {0, 10};
  EXPECT_EQ(rows(1, 0), (Interval{0, 11}));
}

}  // namespace
}  // namespace strake::partition

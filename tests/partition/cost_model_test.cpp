// SPDX-License-Identifier: Apache-2.0
#include "partition/cost_model.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/errors.hpp"
#include "core/small_graphs.hpp"

namespace strake::partition {
namespace {

class CostModelTest : public testing::Test {
 protected:
  CostModelTest() {
    test::add_output(graph_, test::add_conv3(graph_, test::add_input(graph_, {1, 2, 16, 10}), 4));
    profile_ = {.model = fingerprint(graph_), .axis = SplitAxis::rows, .ranks = {}, .links = {}};
    profile_.ranks.assign(2, {.host = {}, .ops = {{}, {.extents = {4, 8, 16}, .microseconds = {40, 100, 120}}}});
    profile_.links = {{{}, {5, 0.1}}, {{7, 0.2}, {}}};
  }

  void expect_refused(const std::string& part) const {
    try {
      (void)CostModel(graph_, profile_);
      FAIL() << "nothing was thrown, expected: " << part;
    } catch (const InvalidInput& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }

  Graph graph_;
  Profile profile_;
};

TEST_F(CostModelTest, InterpolatesBetweenExtentsAndIsProportionalBelow) {
  const CostModel costs(graph_, profile_);
  EXPECT_DOUBLE_EQ(costs.compute_us(0, 1, 0), 0);
  EXPECT_DOUBLE_EQ(costs.compute_us(0, 1, 1), 10);
  EXPECT_DOUBLE_EQ(costs.compute_us(0, 1, 4), 40);
  EXPECT_DOUBLE_EQ(costs.compute_us(0, 1, 6), 70);
  EXPECT_DOUBLE_EQ(costs.compute_us(0, 1, 12), 110);
  EXPECT_DOUBLE_EQ(costs.compute_us(0, 1, 16), 120);
  EXPECT_DOUBLE_EQ(costs.compute_us(0, 0, 16), 0);
}

TEST_F(CostModelTest, CountsOnlyWhatABoxHoldsOnOtherAxes) {
  const CostModel costs(graph_, profile_);
  Box box = whole(graph_.shape(1));
  box[2] = {2, 10};
  EXPECT_DOUBLE_EQ(costs.compute_us(0, 1, box), 100);
  box[1] = {0, 1};
  EXPECT_DOUBLE_EQ(costs.compute_us(0, 1, box), 25);
  EXPECT_DOUBLE_EQ(costs.compute_us(0, 1, nothing(4)), 0);
}

TEST_F(CostModelTest, TakesFewerChannelsAsTheyWereMeasured) {
  profile_.ranks[0].channels = {{}, {.extents = {2, 4}, .microseconds = {90, 120}}};
  const CostModel costs(graph_, profile_);
  Box box = whole(graph_.shape(1));
  box[1] = {0, 2};
  EXPECT_DOUBLE_EQ(costs.compute_us(0, 1, box), 90);
  box[1] = {1, 4};
  EXPECT_DOUBLE_EQ(costs.compute_us(0, 1, box), 105);
  EXPECT_DOUBLE_EQ(costs.compute_us(1, 1, box), 90);
  box[2] = {0, 8};
  EXPECT_DOUBLE_EQ(costs.compute_us(0, 1, box), 100 * 105.0 / 120);
}

TEST_F(CostModelTest, RefusesCostsByChannelsOfOtherOperators) {
  profile_.ranks[1].channels.resize(1);
  expect_refused("rank 1: expected costs by channels of 2 operators, got 1");
  profile_.ranks[1].channels = {{}, {.extents = {4, 2}, .microseconds = {1, 2}}};
  expect_refused("by channels: expected ascending extents");
  profile_.ranks[1].channels = {{}, {.extents = {4}, .microseconds = {0}}};
  expect_refused("by channels: expected that all of them take time");
}

TEST_F(CostModelTest, ScalesARankByItsFactor) {
  CostModel costs(graph_, profile_);
  costs.set_factor(1, 2.5);
  EXPECT_DOUBLE_EQ(costs.compute_us(1, 1, 8), 250);
  EXPECT_DOUBLE_EQ(costs.compute_us(0, 1, 8), 100);
}

TEST_F(CostModelTest, TakesEachLinkInItsDirection) {
  const CostModel costs(graph_, profile_);
  EXPECT_DOUBLE_EQ(costs.transfer_us(0, 1, 100), 15);
  EXPECT_DOUBLE_EQ(costs.transfer_us(1, 0, 100), 27);
  EXPECT_DOUBLE_EQ(costs.transfer_us(1, 1, 100), 0);
  EXPECT_DOUBLE_EQ(costs.transfer_us(0, 1, 0), 0);
}

TEST_F(CostModelTest, RoundsBetweenHostsOnly) {
  profile_.transfer_type = TransferType::bf16;
  profile_.ranks[0].encode_us_per_byte = 0.01;
  profile_.ranks[1].decode_us_per_byte = 0.02;
  profile_.ranks[0].decode_us_per_byte = profile_.ranks[1].encode_us_per_byte = 7;  // of the other direction
  // Half of the bytes, and all of them rounded and widened.
  EXPECT_DOUBLE_EQ(CostModel(graph_, profile_).transfer_us(0, 1, 1, 100), 5 + 50 * 0.1 + 100 * 0.01 + 100 * 0.02);
  EXPECT_DOUBLE_EQ(CostModel(graph_, profile_).transfer_us(0, 1, 100), 15);  // as it is
  EXPECT_DOUBLE_EQ(CostModel(graph_, profile_).transfer_us(0, 0, 1, 100), 0);
  profile_.transfer_type = TransferType::int8;
  EXPECT_DOUBLE_EQ(CostModel(graph_, profile_).transfer_us(0, 1, 1, 100), 5 + 25 * 0.1 + 3);
  EXPECT_DOUBLE_EQ(CostModel(graph_, profile_).sent_bytes({0, 1, whole({1, 4, 2, 10})}, 1), 80 + 4);
  profile_.links[0][1].same_host = true;
  EXPECT_DOUBLE_EQ(CostModel(graph_, profile_).transfer_us(0, 1, 1, 100), 15);
  EXPECT_DOUBLE_EQ(CostModel(graph_, profile_).sent_bytes({0, 1, whole({1, 4, 2, 10})}, 1), 320);
}

TEST_F(CostModelTest, RefusesTheProfileOfAnotherModel) {
  profile_.model = "0123456789abcdef";
  expect_refused("0123456789abcdef");
}

TEST_F(CostModelTest, RefusesAnotherNumberOfOperators) {
  profile_.ranks[1].ops.pop_back();
  expect_refused("rank 1: expected costs of 2 operators, got 1");
}

TEST_F(CostModelTest, RefusesMissingLinks) {
  profile_.links[1].pop_back();
  expect_refused("rank 1: expected links to 2 ranks, got 1");
}

TEST_F(CostModelTest, RefusesTimesThatAreNone) {
  profile_.ranks[0].ops[1].microseconds[1] = std::numeric_limits<double>::quiet_NaN();
  expect_refused("operator 'op1'");
}

TEST_F(CostModelTest, RefusesExtentsOutOfOrder) {
  profile_.ranks[0].ops[1].extents = {4, 4, 16};
  expect_refused("ascending");
}

}  // namespace
}  // namespace strake::partition

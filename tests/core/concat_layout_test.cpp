// SPDX-License-Identifier: Apache-2.0
#include "core/concat_layout.hpp"

#include <gtest/gtest.h>

#include "core/slab_layout.hpp"
#include "core/small_graphs.hpp"

namespace strake {
namespace {

using namespace test;

OpId add_concat(Graph& graph, std::vector<OpId> inputs) { return add_op(graph, std::move(inputs), Concat{.axis = 1}); }

SlabLayout alone(const Graph& graph) { return lay_out_slabs(graph, single_rank_plan(graph, 1, 0), 0, Messages::sent); }

// Two rows of one rank, all channels: what another rank holds of a map of eight rows.
Plan halves(const Graph& graph) {
  Plan plan = empty_plan(graph, 2);
  for (OpId id = 1; id < graph.size(); ++id) {
    const Box all = whole(graph.shape(id));
    plan.boxes(id, 0) = {with_axis(all, 2, {0, 5})};
    plan.boxes(id, 1) = {with_axis(all, 2, {5, 8})};
  }
  check(graph, plan, 2);
  return plan;
}

// What SqueezeNet and Inception do: branches of one map, side by side.
struct Fire {
  Graph graph;
  OpId squeeze, left, right, both;
  Fire() {
    squeeze = add_conv3(graph, add_input(graph, {1, 3, 8, 8}), 4);
    left = add_conv3(graph, squeeze, 16);
    right = add_conv3(graph, squeeze, 8);
    both = add_concat(graph, {left, right});
    add_output(graph, add_conv3(graph, both, 2));
  }
};

TEST(ConcatLayout, BranchesLieWhereTheyAreConcatenated) {
  const Fire fire;
  const SlabLayout layout = alone(fire.graph);
  const auto& slabs = layout.slabs;
  EXPECT_EQ(slabs[at(fire.left)].inside.container, fire.both);
  EXPECT_EQ(slabs[at(fire.left)].inside.channel, 0);
  EXPECT_EQ(slabs[at(fire.right)].inside.container, fire.both);
  EXPECT_EQ(slabs[at(fire.right)].inside.channel, 16);
  EXPECT_EQ(slabs[at(fire.left)].buffer, slabs[at(fire.both)].buffer);
  const BufferRequest& buffer = layout.buffers[static_cast<std::size_t>(slabs[at(fire.both)].buffer)];
  EXPECT_EQ(buffer.first, fire.left);
  EXPECT_EQ(buffer.n_bytes, 24 * 8 * 8 * sizeof(float));
  EXPECT_LT(slabs[at(fire.squeeze)].inside.container, 0);
}

TEST(ConcatLayout, WhatAConvolutionReadsStaysDense) {
  Fire fire;
  add_output(fire.graph, add_conv3(fire.graph, fire.left, 2));
  const SlabLayout layout = alone(fire.graph);
  EXPECT_LT(layout.slabs[at(fire.left)].inside.container, 0);
  EXPECT_EQ(layout.slabs[at(fire.right)].inside.container, fire.both);
}

TEST(ConcatLayout, OutputsInputsAndDoublesHaveMemoryOfTheirOwn) {
  Graph graph;
  const OpId input = add_input(graph, {1, 3, 8, 8});
  const OpId twice = add_conv3(graph, input, 4);
  const OpId output = add_conv3(graph, input, 4);
  const OpId all = add_concat(graph, {input, twice, twice, output});
  add_output(graph, output);
  add_output(graph, all);
  for (const OpId id : {input, twice, output}) EXPECT_LT(alone(graph).slabs[at(id)].inside.container, 0) << id;
}

// DenseNet: every concatenation begins as the one before it, so that only the last has memory.
TEST(ConcatLayout, AConcatenationThatBeginsALargerOneIsAPartOfIt) {
  Graph graph;
  const OpId first = add_conv3(graph, add_input(graph, {1, 3, 8, 8}), 8);
  const auto layer = [&](OpId from) {
    return add_conv3(graph, add_op(graph, {from}, Elementwise{{.kind = ActivationKind::relu}}), 4);
  };
  const OpId second = layer(first);
  const OpId two = add_concat(graph, {first, second});
  const OpId third = layer(two);
  const OpId three = add_concat(graph, {first, second, third});
  add_output(graph, add_conv3(graph, three, 2));
  const SlabLayout layout = alone(graph);
  for (const OpId id : {first, second, two, third}) EXPECT_EQ(layout.slabs[at(id)].inside.container, three) << id;
  EXPECT_EQ(layout.slabs[at(two)].inside.channel, 0);
  EXPECT_EQ(layout.slabs[at(second)].inside.channel, 8);
  EXPECT_EQ(layout.slabs[at(third)].inside.channel, 12);
  // The functions that read them must not overwrite them.
  EXPECT_NE(layout.slabs[at(second) - 1].buffer, layout.slabs[at(first)].buffer);
}

TEST(ConcatLayout, StripsLieInsideStrips) {
  const Fire fire;
  const Plan plan = halves(fire.graph);
  const SlabLayout layout = lay_out_slabs(fire.graph, plan, 1, Messages::sent);
  const Slab& left = layout.slabs[at(fire.left)];
  EXPECT_EQ(left.inside.container, fire.both);
  // The next convolution reads a row more of the concatenation, which comes from the other rank.
  EXPECT_EQ(layout.slabs[at(fire.both)].box[2], (Interval{4, 8}));
  EXPECT_EQ(left.box[2], (Interval{5, 8}));
  EXPECT_EQ(in_container(left.box, left.inside)[1], (Interval{0, 16}));
}

TEST(SlabLayout, FunctionsOfSingleCellsOverwriteWhatNobodyReadsLater) {
  Graph graph;
  const OpId map = add_conv3(graph, add_input(graph, {1, 3, 8, 8}), 8);
  const OpId scale = add_constant(graph, {8, 1, 1});
  const OpId scaled = add_op(graph, {map, scale}, Binary{.kind = BinaryKind::mul, .post_ops = {}});
  const OpId kept = add_op(graph, {scaled}, Elementwise{{.kind = ActivationKind::relu}});
  add_output(graph, add_op(graph, {scaled, kept}, Binary{.kind = BinaryKind::add, .post_ops = {}}));
  const SlabLayout layout = alone(graph);
  EXPECT_EQ(layout.slabs[at(scaled)].buffer, layout.slabs[at(map)].buffer);
  EXPECT_NE(layout.slabs[at(kept)].buffer, layout.slabs[at(scaled)].buffer) << "the addition still reads it";
}

}  // namespace
}  // namespace strake

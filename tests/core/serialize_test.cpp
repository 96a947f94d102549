// SPDX-License-Identifier: Apache-2.0
#include "core/serialize.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "core/small_graphs.hpp"

namespace strake {
namespace {

using test::add_input;
using test::add_op;
using test::residual_net;

// One operator of every kind.
Graph every_kind() {
  Graph graph = residual_net();
  const OpId picture = add_input(graph, {1, 2, 4, 4});
  graph.op(picture).type = ElementType::u8;
  const OpId map = add_op(graph, {picture}, NormalizePicture{.scale = {1, 2}, .shift = {3, 4}});
  add_op(graph, {map}, Pool{.kind = PoolKind::average, .window = {}, .over = AverageOver::padded_cells});
  add_op(graph, {map}, Elementwise{.function = {ActivationKind::linear, 2, 3}});
  add_op(graph, {map}, ScaleShift{.scale = graph.add_weight("s", {2}, {}), .post_ops = {Activation{}}});
  add_op(graph, {map, map}, Concat{.axis = 2});
  add_op(graph, {map}, Reshape{}, {32});
  add_op(graph, {map}, Transpose{.axes = {3, 2, 1, 0}});
  add_op(graph, {map}, Slice{.begin = {0, 1, 3, 0}, .step = {1, 1, -1, 2}}, {1, 1, 4, 2});
  add_op(graph, {map}, Pad{.begin = {0, 0, 1, 1}, .value = -1}, {1, 2, 6, 6});
  add_op(graph, {map}, Gather{.axis = 1, .indices = {1, 0, 1}});
  add_op(graph, {map, map}, MatMul{});
  add_op(graph, {map}, Softmax{.axis = 3});
  add_op(graph, {map}, Lrn{.size = 3});
  add_op(graph, {map}, Pointwise{.kind = PointwiseKind::cast, .to = ElementType::i16});
  add_op(graph, {map}, Expand{}, {3, 2, 4, 4});
  add_op(graph, {map}, Tile{.repeats = {1, 2, 3, 1}});
  add_op(graph, {map}, Trilu{.part = Triangle::lower, .diagonal = -1});
  test::add_output(graph, add_op(graph, {map}, Reduce{.kind = GenericReduceKind::max, .axes = {2}}));
  return graph;
}

Plan a_plan() {
  Plan plan = single_rank_plan(residual_net(), 3, 1);
  plan.strategy = "by hand";
  plan.epoch = 7;
  plan.axis = SplitAxis::columns;
  plan.transfer_type = TransferType::int8;
  plan.overlap[2] = Overlap::interior_first;
  plan.predicted_us = 12.5;
  plan.notes = {"rank 2 only hurts", ""};
  return plan;
}

RankProfile a_profile() {
  return {.host = "edge-1",
          .threads = 4,
          .ops = {{.extents = {1, 8}, .microseconds = {3.5, 20}}, {.extents = {1}, .microseconds = {0.25}}},
          .channels = {{}, {.extents = {8, 16}, .microseconds = {2, 3}}},
          .whole_us = 99,
          .jitter_us = 0.25,
          .copy_us_per_byte = 1e-4,
          .encode_us_per_byte = 2e-4,
          .decode_us_per_byte = 3e-4,
          .baseline_bytes = 5e7};
}

// Reads `bytes` shortened and altered in every place; anything but a clean error or a value fails.
template <class Read>
void expect_no_crash(const std::vector<std::byte>& bytes, Read read) {
  const std::span<const std::byte> all = bytes;
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_THROW((void)read(all.first(length)), InvalidInput) << "the first " << length << " bytes were accepted";
  std::vector<std::byte> longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_THROW((void)read(longer), InvalidInput);

  test::Random random(50);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int value : {0x00, 0x7F, 0x80, 0xFF, static_cast<int>(test::pick(random, 0, 255))}) {
      std::vector<std::byte> altered = bytes;
      altered[at] = static_cast<std::byte>(value);
      try {
        (void)read(altered);
      } catch (const InvalidInput&) {
      }
    }
  }
}

TEST(GraphAsBytes, ComesBackAsItWas) {
  const Graph graph = every_kind();
  const std::vector<std::byte> bytes = to_bytes(graph);
  const Graph back = graph_from_bytes(bytes);
  EXPECT_EQ(to_bytes(back), bytes);
  EXPECT_EQ(fingerprint(back), fingerprint(graph));
  ASSERT_EQ(back.size(), graph.size());
  for (OpId id = 0; id < graph.size(); ++id) {
    EXPECT_EQ(back.op(id).name, graph.op(id).name);
    EXPECT_EQ(back.op(id).shape, graph.op(id).shape);
    EXPECT_EQ(back.op(id).attributes.index(), graph.op(id).attributes.index());
  }
  EXPECT_EQ(as<Conv>(back.op(2))->post_ops, as<Conv>(graph.op(2))->post_ops);
  EXPECT_EQ(as<Conv>(back.op(2))->window, as<Conv>(graph.op(2))->window);
  EXPECT_EQ(back.outputs.back().name, graph.outputs.back().name);
}

TEST(GraphAsBytes, LeavesTheValuesOfWeightsOut) {
  Graph graph = residual_net();
  const std::size_t n_bytes = to_bytes(graph).size();
  graph.weights[0].values = Blob::allocate(1000);
  EXPECT_EQ(to_bytes(graph).size(), n_bytes);
  EXPECT_TRUE(graph_from_bytes(to_bytes(graph)).weights[0].values.empty());
}

TEST(GraphAsBytes, IsRefusedWhenDamagedAndNeverCrashes) {
  expect_no_crash(to_bytes(every_kind()), [](std::span<const std::byte> bytes) { return graph_from_bytes(bytes); });
}

TEST(GraphAsBytes, IsRefusedWhenItsPartsDoNotFit) {
  const auto refused = [](const Graph& graph) {
    try {
      (void)graph_from_bytes(to_bytes(graph));
    } catch (const InvalidInput&) {
      return true;
    }
    return false;
  };
  EXPECT_FALSE(refused(residual_net()));
  Graph cyclic = residual_net();
  cyclic.op(1).inputs[0] = 2;
  EXPECT_TRUE(refused(cyclic));
  Graph wrong_shape = residual_net();
  wrong_shape.op(1).shape[2] = 7;
  EXPECT_TRUE(refused(wrong_shape));
  Graph wrong_weight = residual_net();
  as<Conv>(wrong_weight.op(1))->weights = 99;
  EXPECT_TRUE(refused(wrong_weight));
  Graph wrong_port = residual_net();
  wrong_port.inputs[0].op = 1;
  EXPECT_TRUE(refused(wrong_port));
  wrong_port = residual_net();
  wrong_port.outputs[0].op = 9;
  EXPECT_TRUE(refused(wrong_port));
  Graph wrong_kind = residual_net();
  as<ReduceRows>(wrong_kind.op(6))->kind = static_cast<ReduceKind>(2);
  EXPECT_TRUE(refused(wrong_kind));
}

TEST(PlanAsBytes, ComesBackAsItWas) {
  const Plan plan = a_plan();
  const Plan back = plan_from_bytes(to_bytes(plan));
  EXPECT_EQ(back.model, plan.model);
  EXPECT_EQ(back.strategy, plan.strategy);
  EXPECT_EQ(back.n_ranks, 3);
  EXPECT_EQ(back.epoch, 7);
  EXPECT_EQ(back.axis, SplitAxis::columns);
  EXPECT_EQ(back.transfer_type, TransferType::int8);
  EXPECT_EQ(back.produces, plan.produces);
  EXPECT_EQ(back.overlap, plan.overlap);
  EXPECT_EQ(back.predicted_us, 12.5);
  EXPECT_EQ(back.notes, plan.notes);
}

TEST(PlanAsBytes, IsRefusedWhenDamagedAndNeverCrashes) {
  const Graph graph = residual_net();
  expect_no_crash(to_bytes(a_plan()), [&graph](std::span<const std::byte> bytes) {
    Plan plan = plan_from_bytes(bytes);
    check(graph, plan, plan.n_ranks);
    return plan;
  });
}

TEST(ProfileAsBytes, ComesBackAsItWas) {
  const RankProfile profile = a_profile();
  const RankProfile back = rank_profile_from_bytes(to_bytes(profile));
  EXPECT_EQ(back.host, "edge-1");
  EXPECT_EQ(back.threads, 4);
  ASSERT_EQ(back.ops.size(), 2U);
  EXPECT_EQ(back.ops[0].extents, profile.ops[0].extents);
  EXPECT_EQ(back.ops[0].microseconds, profile.ops[0].microseconds);
  EXPECT_EQ(back.whole_us, 99);
  EXPECT_EQ(back.copy_us_per_byte, 1e-4);
  EXPECT_EQ(back.encode_us_per_byte, 2e-4);
  EXPECT_EQ(back.decode_us_per_byte, 3e-4);
  EXPECT_EQ(back.baseline_bytes, 5e7);
}

TEST(ProfileAsBytes, IsRefusedWhenDamagedAndNeverCrashes) {
  expect_no_crash(to_bytes(a_profile()),
                  [](std::span<const std::byte> bytes) { return rank_profile_from_bytes(bytes); });
  RankProfile uneven = a_profile();
  uneven.ops[0].extents.pop_back();
  EXPECT_THROW((void)rank_profile_from_bytes(to_bytes(uneven)), InvalidInput);
}

TEST(Bytes, OfOneThingAreNotReadAsAnother) {
  EXPECT_THROW((void)plan_from_bytes(to_bytes(residual_net())), InvalidInput);
  EXPECT_THROW((void)graph_from_bytes(to_bytes(a_profile())), InvalidInput);
  EXPECT_THROW((void)rank_profile_from_bytes(to_bytes(a_plan())), InvalidInput);
}

}  // namespace
}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#include "engine/program.hpp"

#include <gtest/gtest.h>

#include "engine/executor.hpp"
#include "engine/frame.hpp"
#include "property_cases.hpp"

namespace strake::engine {
namespace {

WeightId ones(Graph& graph, const Shape& shape) {
  const std::vector<float> values(static_cast<std::size_t>(volume(shape)), 1.0F);
  return graph.add_weight("ones", shape, Blob::copy_of(values));
}

OpId conv(Graph& graph, std::vector<OpId> inputs, std::vector<PostOp> post_ops) {
  Conv attributes;
  attributes.weights = ones(graph, {1, 1, 3, 3});
  attributes.post_ops = std::move(post_ops);
  attributes.window.h = {.kernel = 3, .pad_begin = 1, .pad_end = 1};
  attributes.window.w = attributes.window.h;
  return graph.add({.name = "conv" + std::to_string(graph.size()),
                    .inputs = std::move(inputs),
                    .shape = {},
                    .type = ElementType::f32,
                    .attributes = attributes});
}

// input -> conv -> conv + residual of the first.
test::Case residual_case() {
  test::Case one;
  const OpId input = one.graph.add(
      {.name = "input", .inputs = {}, .shape = {1, 1, 8, 6}, .type = ElementType::f32, .attributes = Input{}});
  one.graph.inputs.push_back({input, "input", ElementType::f32});
  const OpId first = conv(one.graph, {input}, {});
  const OpId second = conv(one.graph, {first}, {});
  const OpId third = conv(one.graph, {second, first}, {AddInput{1}});
  one.graph.outputs.push_back({third, "output", ElementType::f32});
  test::Random random(3);
  one.inputs["input"] = {ElementType::f32, {1, 1, 8, 6}, Blob::copy_of(random.values(48))};
  return one;
}

TEST(SlabLayout, AddsAResidualThatNobodyReadsLaterInPlace) {
  const test::Case one = residual_case();
  const SlabLayout layout = lay_out_slabs(one.graph, single_rank_plan(one.graph, 1, 0), 0, Messages::sent);
  EXPECT_EQ(layout.slabs[3].buffer, layout.slabs[1].buffer);
  EXPECT_NE(layout.slabs[2].buffer, layout.slabs[1].buffer);
}

TEST(SlabLayout, KeepsAResidualThatIsReadLater) {
  test::Case one = residual_case();
  one.graph.outputs.push_back({1, "first", ElementType::f32});
  const SlabLayout layout = lay_out_slabs(one.graph, single_rank_plan(one.graph, 1, 0), 0, Messages::sent);
  EXPECT_NE(layout.slabs[3].buffer, layout.slabs[1].buffer);
}

TEST(SlabLayout, HoldsHalosBesideOwnRows) {
  const test::Case one = residual_case();
  Plan plan = empty_plan(one.graph, 2);
  for (OpId id = 1; id < one.graph.size(); ++id) {
    const Box all = whole(one.graph.shape(id));
    plan.boxes(id, 0) = {with_axis(all, 2, {0, 5})};
    plan.boxes(id, 1) = {with_axis(all, 2, {5, 8})};
  }
  check(one.graph, plan, 2);
  const SlabLayout layout = lay_out_slabs(one.graph, plan, 1, Messages::sent);
  EXPECT_EQ(layout.slabs[2].box[2], (Interval{4, 8}));
  ASSERT_EQ(layout.receives[2].size(), 1U);
  EXPECT_EQ(layout.receives[2].front().box[2], (Interval{4, 5}));
}

TEST(Program, GivesTheReferenceWithAnInPlaceResidual) {
  const test::Case one = residual_case();
  test::expect_near(one.graph, test::run_single(one, kernels::Exactness::fastest), test::reference_of(one));
}

TEST(Frame, RefusesInputsThatDoNotFitAndSaysWhy) {
  const test::Case one = residual_case();
  const auto message = [&](TensorMap inputs) {
    try {
      (void)checked_inputs(one.graph, std::move(inputs));
    } catch (const InvalidInput& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  const Blob data = Blob::allocate(48 * 4);
  EXPECT_EQ(message({}), "input 'input' was not given");
  EXPECT_NE(message({{"other", {ElementType::f32, {1, 1, 8, 6}, data}}}).find("no input 'other'"), std::string::npos);
  EXPECT_NE(message({{"input", {ElementType::f32, {1, 1, 6, 8}, data}}}).find("1x1x6x8"), std::string::npos);
  EXPECT_NE(message({{"input", {ElementType::u8, {1, 1, 8, 6}, data}}}).find("uint8"), std::string::npos);
  EXPECT_EQ(message(one.inputs), "accepted");
}

}  // namespace
}  // namespace strake::engine

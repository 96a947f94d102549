// SPDX-License-Identifier: Apache-2.0
#include "core/shape_inference.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/small_graphs.hpp"

namespace strake {
namespace {

using test::add_constant;
using test::add_conv;
using test::add_input;
using test::add_op;
using test::square;

/// A graph with one feature map (1, 6, 9, 8) and one matrix (5, 7).
class ShapeInference : public testing::Test {
 protected:
  Shape shape_of(std::vector<OpId> inputs, Attributes attributes, Shape given = {}) {
    return graph_.shape(add_op(graph_, std::move(inputs), std::move(attributes), std::move(given)));
  }

  // The message, which must name the operator, or "" where nothing is wrong.
  std::string error_of(std::vector<OpId> inputs, Attributes attributes, Shape given = {}) {
    const std::string name = "'op" + std::to_string(graph_.size()) + "'";
    try {
      add_op(graph_, std::move(inputs), std::move(attributes), std::move(given));
    } catch (const InvalidInput& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find(name), std::string::npos) << message;
      EXPECT_NE(message.find("expects"), std::string::npos) << message;
      return message;
    }
    return "";
  }

  bool refused(std::vector<OpId> inputs, Attributes attributes, Shape given = {}) {
    return !error_of(std::move(inputs), std::move(attributes), std::move(given)).empty();
  }

  WeightId weight(Shape shape) { return graph_.add_weight("w", std::move(shape), {}); }

  Graph graph_;
  OpId map_ = add_input(graph_, {1, 6, 9, 8});
  OpId matrix_ = add_input(graph_, {5, 7});
};

TEST_F(ShapeInference, ConvolutionsSlideTheirWindows) {
  const Window2d window{.h = {.kernel = 3, .stride = 2, .pad_begin = 1, .pad_end = 0},
                        .w = {.kernel = 3, .dilation = 2, .pad_begin = 2, .pad_end = 2}};
  EXPECT_EQ(graph_.shape(add_conv(graph_, map_, 10, window)), (Shape{1, 10, 4, 8}));
  EXPECT_EQ(graph_.shape(add_conv(graph_, map_, 6, square({.kernel = 9, .pad_begin = 1}), 3)), (Shape{1, 6, 2, 1}));
}

TEST_F(ShapeInference, PointwiseOperatorsBroadcast) {
  const OpId condition = add_input(graph_, {9, 1}, ElementType::boolean);
  const OpId where = add_op(graph_, {condition, map_, add_input(graph_, {8})}, Pointwise{PointwiseKind::where});
  EXPECT_EQ(graph_.shape(where), (Shape{1, 6, 9, 8}));
  EXPECT_EQ(graph_.op(where).type, ElementType::f32);
  EXPECT_TRUE(refused({condition, map_, matrix_}, Pointwise{PointwiseKind::where}));
  EXPECT_TRUE(refused({map_}, Pointwise{PointwiseKind::add}));
  EXPECT_TRUE(refused({map_, map_}, Pointwise{PointwiseKind::clip}));
}

TEST_F(ShapeInference, PointwiseOperatorsKnowTheirTypes) {
  const OpId bytes = add_input(graph_, {5, 7}, ElementType::u8);
  const OpId longs = add_input(graph_, {5, 7}, ElementType::i64);
  const OpId booleans = add_input(graph_, {5, 7}, ElementType::boolean);
  const auto type_of = [&](std::vector<OpId> inputs, Pointwise op) {
    return graph_.op(add_op(graph_, std::move(inputs), op)).type;
  };
  EXPECT_EQ(type_of({bytes, bytes}, {PointwiseKind::add}), ElementType::u8);
  EXPECT_EQ(type_of({bytes, longs}, {PointwiseKind::pow}), ElementType::u8);
  EXPECT_EQ(type_of({longs, longs}, {PointwiseKind::less}), ElementType::boolean);
  EXPECT_EQ(type_of({matrix_}, {PointwiseKind::is_inf}), ElementType::boolean);
  EXPECT_EQ(type_of({booleans, longs, longs}, {PointwiseKind::where}), ElementType::i64);
  EXPECT_EQ(type_of({longs}, {PointwiseKind::cast, ElementType::u16}), ElementType::u16);
  EXPECT_EQ(type_of({longs}, {PointwiseKind::cast, ElementType::bf16}), ElementType::f32);
  EXPECT_TRUE(refused({bytes, longs}, Pointwise{PointwiseKind::add}));
  EXPECT_TRUE(refused({booleans, booleans}, Pointwise{PointwiseKind::add}));
  EXPECT_TRUE(refused({matrix_, matrix_}, Pointwise{PointwiseKind::shift_left}));
  EXPECT_TRUE(refused({bytes}, Pointwise{PointwiseKind::is_nan}));
  EXPECT_TRUE(refused({matrix_}, Pointwise{PointwiseKind::logical_not}));
  EXPECT_TRUE(refused({matrix_, matrix_, matrix_}, Pointwise{PointwiseKind::where}));
  EXPECT_TRUE(refused({booleans, longs, bytes}, Pointwise{PointwiseKind::where}));
}

TEST_F(ShapeInference, ActivationsAreOfFloatsUnlessTheyOnlyLookAtSigns) {
  const OpId longs = add_input(graph_, {5, 7}, ElementType::i64);
  const OpId doubles = add_input(graph_, {5, 7}, ElementType::f64);
  EXPECT_EQ(graph_.op(add_op(graph_, {longs}, Elementwise{{.kind = ActivationKind::sign}})).type, ElementType::i64);
  EXPECT_EQ(graph_.op(add_op(graph_, {doubles}, Elementwise{{.kind = ActivationKind::mish}})).type, ElementType::f64);
  EXPECT_TRUE(refused({longs}, Elementwise{{.kind = ActivationKind::mish}}));
  EXPECT_TRUE(refused({add_input(graph_, {2}, ElementType::boolean)}, Elementwise{}));
}

TEST_F(ShapeInference, RepeatedTensorsGrow) {
  EXPECT_EQ(shape_of({matrix_}, Expand{}, {3, 5, 7}), (Shape{3, 5, 7}));
  EXPECT_TRUE(refused({matrix_}, Expand{}, {5}));
  EXPECT_TRUE(refused({matrix_}, Expand{}, {7, 7}));
  EXPECT_EQ(shape_of({matrix_}, Tile{{1, 3}}), (Shape{5, 21}));
  EXPECT_TRUE(refused({matrix_}, Tile{{3}}));
  EXPECT_TRUE(refused({matrix_}, Tile{{1, 0}}));
  EXPECT_TRUE(refused({matrix_}, Tile{{1, std::numeric_limits<Index>::max()}}));
  EXPECT_EQ(shape_of({map_}, Trilu{}), (Shape{1, 6, 9, 8}));
  EXPECT_TRUE(refused({add_input(graph_, {4})}, Trilu{}));
}

TEST_F(ShapeInference, ConvolutionsRefuseWeightsThatDoNotFit) {
  const Window2d window = square({.kernel = 3});
  EXPECT_TRUE(refused({map_}, Conv{.window = window, .weights = weight({4, 5, 3, 3}), .post_ops = {}}));
  EXPECT_TRUE(refused({map_}, Conv{.window = window, .weights = weight({4, 6, 3, 1}), .post_ops = {}}));
  EXPECT_TRUE(refused({map_}, Conv{.window = window, .groups = 4, .weights = weight({4, 1, 3, 3}), .post_ops = {}}));
  EXPECT_TRUE(refused({map_}, Conv{.window = window, .groups = 0, .weights = weight({4, 6, 3, 3}), .post_ops = {}}));
  EXPECT_TRUE(refused({map_}, Conv{.window = window, .weights = 999, .post_ops = {}}));
  EXPECT_TRUE(refused({map_}, Conv{.window = window, .post_ops = {}}));
  EXPECT_TRUE(refused({matrix_}, Conv{.window = window, .weights = weight({4, 6, 3, 3}), .post_ops = {}}));
  EXPECT_TRUE(
      refused({map_}, Conv{.window = window, .weights = weight({4, 6, 3, 3}), .bias = weight({3}), .post_ops = {}}));
}

TEST_F(ShapeInference, ConvolutionsRefuseWindowsThatDoNotFit) {
  const auto conv = [this](WindowAxis axis) {
    return Conv{.window = square(axis), .weights = weight({4, 6, axis.kernel, axis.kernel}), .post_ops = {}};
  };
  EXPECT_TRUE(refused({map_}, conv({.kernel = 9})));
  EXPECT_TRUE(refused({map_}, conv({.kernel = 3, .dilation = 4})));
  EXPECT_TRUE(refused({map_}, conv({.kernel = 3, .stride = 0})));
  EXPECT_TRUE(refused({map_}, conv({.kernel = 3, .pad_begin = -1})));
  EXPECT_TRUE(refused({map_}, conv({.kernel = 3, .dilation = std::numeric_limits<Index>::max()})));
  EXPECT_FALSE(refused({map_}, conv({.kernel = 8})));
}

TEST_F(ShapeInference, ConvolutionsTakeOneResidualOfTheirOwnShape) {
  const Window2d window = square({.kernel = 3, .pad_begin = 1, .pad_end = 1});
  const auto conv = [&](Index channels, std::vector<PostOp> post_ops) {
    return Conv{.window = window, .weights = weight({channels, 6, 3, 3}), .post_ops = std::move(post_ops)};
  };
  EXPECT_EQ(shape_of({map_, map_}, conv(6, {AddInput{}})), (Shape{1, 6, 9, 8}));
  EXPECT_TRUE(refused({map_, map_}, conv(7, {AddInput{}})));
  EXPECT_TRUE(refused({map_}, conv(6, {AddInput{}})));
  EXPECT_TRUE(refused({map_, map_}, conv(6, {})));
  EXPECT_TRUE(refused({map_, map_}, conv(6, {AddInput{.input = 0}})));
  EXPECT_TRUE(refused({map_, map_}, conv(6, {AddInput{}, AddInput{}})));
  EXPECT_TRUE(refused({map_, map_, map_}, conv(6, {AddInput{}})));
}

TEST_F(ShapeInference, PoolsRoundDownUnlessTheirShapeSaysUp) {
  const Pool pool{.kind = PoolKind::max, .window = square({.kernel = 3, .stride = 2})};
  EXPECT_EQ(shape_of({map_}, pool), (Shape{1, 6, 4, 3}));
  EXPECT_EQ(shape_of({map_}, pool, {1, 6, 4, 4}), (Shape{1, 6, 4, 4}));
  EXPECT_TRUE(refused({map_}, pool, {1, 6, 5, 4}));
  EXPECT_TRUE(refused({map_}, pool, {6, 4, 4}));
  EXPECT_TRUE(refused({matrix_}, pool));
}

TEST_F(ShapeInference, SumsOverRowsLeaveParts) {
  const OpId rows = add_op(graph_, {map_}, ReduceRows{});
  EXPECT_EQ(graph_.shape(rows), (Shape{1, 6, 9, 1}));
  EXPECT_EQ(shape_of({rows}, ReduceParts{}), (Shape{1, 6, 1, 1}));
  EXPECT_TRUE(refused({map_}, ReduceParts{}));
  EXPECT_TRUE(refused({matrix_}, ReduceRows{}));
}

TEST_F(ShapeInference, PerChannelValuesMatchTheChannels) {
  EXPECT_EQ(shape_of({map_}, ScaleShift{.scale = weight({6}), .post_ops = {}}), (Shape{1, 6, 9, 8}));
  EXPECT_TRUE(refused({map_}, ScaleShift{.scale = weight({5}), .post_ops = {}}));
  EXPECT_TRUE(refused({map_}, ScaleShift{.scale = weight({6}), .shift = weight({1}), .post_ops = {}}));
  EXPECT_TRUE(refused({map_, map_}, ScaleShift{.post_ops = {AddInput{}}}));
  const std::vector<float> six(6);
  EXPECT_EQ(shape_of({map_}, NormalizePicture{.scale = six, .shift = six}), (Shape{1, 6, 9, 8}));
  EXPECT_TRUE(refused({map_}, NormalizePicture{.scale = six, .shift = {}}));
  EXPECT_EQ(shape_of({map_}, Lrn{}), (Shape{1, 6, 9, 8}));
  EXPECT_TRUE(refused({map_}, Lrn{.size = 0}));
}

TEST_F(ShapeInference, BroadcastsAsNumpyDoes) {
  EXPECT_EQ(broadcast({3, 1, 5}, {4, 1}), (Shape{3, 4, 5}));
  EXPECT_EQ(broadcast({}, {4, 1}), (Shape{4, 1}));
  EXPECT_EQ(broadcast({2}, {3}), std::nullopt);
  EXPECT_EQ(shape_of({map_, add_constant(graph_, {6, 1, 1})}, Binary{}), (Shape{1, 6, 9, 8}));
  EXPECT_EQ(shape_of({add_constant(graph_, {}), map_}, Binary{}), (Shape{1, 6, 9, 8}));
  EXPECT_TRUE(refused({map_, matrix_}, Binary{}));
  EXPECT_TRUE(refused({map_}, Binary{}));
}

TEST_F(ShapeInference, ConcatAddsUpItsAxis) {
  EXPECT_EQ(shape_of({map_, map_, map_}, Concat{.axis = 1}), (Shape{1, 18, 9, 8}));
  EXPECT_EQ(shape_of({map_, add_input(graph_, {1, 6, 9, 3})}, Concat{.axis = 3}), (Shape{1, 6, 9, 11}));
  EXPECT_TRUE(refused({map_, add_input(graph_, {1, 6, 9, 3})}, Concat{.axis = 1}));
  EXPECT_TRUE(refused({map_, matrix_}, Concat{.axis = 1}));
  EXPECT_TRUE(refused({map_}, Concat{.axis = 4}));
  EXPECT_TRUE(refused({}, Concat{}));
}

TEST_F(ShapeInference, ReshapeKeepsTheElements) {
  EXPECT_EQ(shape_of({map_}, Reshape{}, {6, 72}), (Shape{6, 72}));
  EXPECT_TRUE(refused({map_}, Reshape{}, {6, 71}));
  EXPECT_TRUE(refused({map_}, Reshape{}, {-6, -72}));
  EXPECT_TRUE(refused({map_}, Reshape{}));
}

TEST_F(ShapeInference, TransposePermutes) {
  EXPECT_EQ(shape_of({map_}, Transpose{.axes = {0, 2, 3, 1}}), (Shape{1, 9, 8, 6}));
  EXPECT_TRUE(refused({map_}, Transpose{.axes = {0, 2, 3, 2}}));
  EXPECT_TRUE(refused({map_}, Transpose{.axes = {0, 2, 3}}));
  EXPECT_TRUE(refused({map_}, Transpose{.axes = {0, 2, 3, 4}}));
}

TEST_F(ShapeInference, SlicesStayInside) {
  EXPECT_EQ(shape_of({matrix_}, Slice{.begin = {4, 0}, .step = {-2, 3}}, {3, 3}), (Shape{3, 3}));
  EXPECT_TRUE(refused({matrix_}, Slice{.begin = {4, 0}, .step = {-2, 3}}, {4, 3}));
  EXPECT_TRUE(refused({matrix_}, Slice{.begin = {4, 0}, .step = {-2, 3}}, {3, 4}));
  EXPECT_TRUE(refused({matrix_}, Slice{.begin = {5, 0}, .step = {1, 1}}, {1, 1}));
  EXPECT_TRUE(refused({matrix_}, Slice{.begin = {0, 0}, .step = {0, 1}}, {1, 1}));
  EXPECT_TRUE(refused({matrix_}, Slice{.begin = {0}, .step = {1, 1}}, {1, 1}));
  EXPECT_TRUE(refused({matrix_}, Slice{.begin = {0, 0}, .step = {1, 1}}, {0, 1}));
  const Index least = std::numeric_limits<Index>::min();
  EXPECT_FALSE(refused({matrix_}, Slice{.begin = {4, 0}, .step = {least, 1}}, {1, 7}));
  EXPECT_TRUE(refused({matrix_}, Slice{.begin = {4, 0}, .step = {least, 1}}, {2, 7}));
}

TEST_F(ShapeInference, PadHoldsItsInput) {
  EXPECT_EQ(shape_of({matrix_}, Pad{.begin = {1, 0}}, {6, 9}), (Shape{6, 9}));
  EXPECT_TRUE(refused({matrix_}, Pad{.begin = {2, 0}}, {6, 9}));
  EXPECT_TRUE(refused({matrix_}, Pad{.begin = {-1, 0}}, {6, 9}));
  EXPECT_TRUE(refused({matrix_}, Pad{.begin = {0}}, {6, 9}));
}

TEST_F(ShapeInference, GatherTakesIndicesInside) {
  EXPECT_EQ(shape_of({matrix_}, Gather{.axis = 1, .indices = {6, 0, 6}}), (Shape{5, 3}));
  EXPECT_TRUE(refused({matrix_}, Gather{.axis = 1, .indices = {7}}));
  EXPECT_TRUE(refused({matrix_}, Gather{.axis = 1, .indices = {}}));
  EXPECT_TRUE(refused({matrix_}, Gather{.axis = -1, .indices = {0}}));
}

TEST_F(ShapeInference, ProductsBroadcastTheirLeadingAxes) {
  const OpId stack = add_input(graph_, {2, 1, 7, 3});
  const OpId other = add_input(graph_, {4, 5, 7});
  EXPECT_EQ(shape_of({matrix_, stack}, MatMul{}), (Shape{2, 1, 5, 3}));
  EXPECT_EQ(shape_of({other, stack}, MatMul{}), (Shape{2, 4, 5, 3}));
  EXPECT_TRUE(refused({matrix_, matrix_}, MatMul{}));
  EXPECT_TRUE(refused({matrix_, add_input(graph_, {7})}, MatMul{}));
  EXPECT_TRUE(refused({other, add_input(graph_, {3, 7, 3})}, MatMul{}));
}

TEST_F(ShapeInference, ReductionsLeaveAxesOfOne) {
  EXPECT_EQ(shape_of({map_}, Reduce{.axes = {1, 3}}), (Shape{1, 1, 9, 1}));
  EXPECT_TRUE(refused({map_}, Reduce{.axes = {4}}));
  EXPECT_TRUE(refused({map_}, Reduce{.axes = {1, 1}}));
  EXPECT_TRUE(refused({map_, matrix_}, Reduce{.axes = {1}}));
  const OpId mean = add_op(graph_, {map_}, Reduce{.axes = {2, 3}});
  EXPECT_EQ(shape_of({map_, mean}, Reduce{.kind = GenericReduceKind::mean_square, .axes = {2, 3}}),
            (Shape{1, 6, 1, 1}));
  EXPECT_EQ(shape_of({map_, mean, mean}, Normalize{}), (Shape{1, 6, 9, 8}));
  EXPECT_TRUE(refused({mean, map_, map_}, Normalize{}));
  EXPECT_TRUE(refused({map_, mean}, Normalize{}));
  EXPECT_EQ(shape_of({map_}, ArgReduce{.axis = 2}), (Shape{1, 6, 1, 8}));
  EXPECT_EQ(graph_.op(graph_.size() - 1).type, ElementType::i64);
  EXPECT_TRUE(refused({map_}, ArgReduce{.axis = 4}));
  EXPECT_EQ(shape_of({map_}, CumSum{.axis = 2}), (Shape{1, 6, 9, 8}));
  EXPECT_TRUE(refused({map_}, CumSum{.axis = -1}));
  EXPECT_EQ(shape_of({map_}, Softmax{.axis = 3}), (Shape{1, 6, 9, 8}));
  EXPECT_TRUE(refused({map_}, Softmax{.axis = 4}));
}

TEST_F(ShapeInference, InputsAndConstantsBringTheirShape) {
  EXPECT_EQ(shape_of({}, Constant{.value = weight({2, 3})}, {6}), (Shape{6}));
  EXPECT_TRUE(refused({}, Constant{.value = weight({2, 3})}, {5}));
  EXPECT_TRUE(refused({}, Input{}, {1, 0, 4, 4}));
  EXPECT_TRUE(refused({}, Input{}, {Index{1} << 40, Index{1} << 40}));
  EXPECT_TRUE(refused({map_}, Input{}, {1}));
}

TEST_F(ShapeInference, RefusesInputsThatComeLater) {
  EXPECT_TRUE(refused({graph_.size()}, Elementwise{}));
  EXPECT_TRUE(refused({-1}, Elementwise{}));
  EXPECT_TRUE(refused({}, Elementwise{}));
}

TEST_F(ShapeInference, SaysWhatWasExpectedAndWhatCame) {
  EXPECT_EQ(error_of({map_}, Reshape{}, {6, 71}),
            "operator 'op2' (Reshape) expects as many elements as its input, 1x6x9x8, got 6x71");
}

}  // namespace
}  // namespace strake

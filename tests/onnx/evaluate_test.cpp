// SPDX-License-Identifier: Apache-2.0
#include "onnx/evaluate/evaluate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "onnx/models.hpp"

namespace strake::onnx_import {
namespace {

using Floats = std::vector<float>;
using Integers = std::vector<std::int64_t>;
using Attributes = std::vector<onnx::AttributeProto>;

constexpr float inf = std::numeric_limits<float>::infinity();
const float nan = std::numeric_limits<float>::quiet_NaN();

std::vector<HostTensor> outputs_of(const std::string& type, const std::vector<HostTensor>& inputs,
                                   const Attributes& attributes = {}, std::int64_t opset = 17, int n_outputs = 1) {
  std::vector<std::string> names(static_cast<std::size_t>(n_outputs), "y");
  const onnx::NodeProto proto = node(type, std::vector<std::string>(inputs.size(), "x"), names, attributes);
  std::vector<const HostTensor*> pointers;
  for (const HostTensor& input : inputs) pointers.push_back(&input);
  Budget budget(1e8);
  return evaluate(Node(proto, opset), pointers, budget);
}

HostTensor run(const std::string& type, const std::vector<HostTensor>& inputs, const Attributes& attributes = {},
               std::int64_t opset = 17) {
  return outputs_of(type, inputs, attributes, opset).front();
}

template <class T>
HostTensor of(Shape shape, const std::vector<T>& values) {
  return HostTensor::of<T>(std::move(shape), values);
}
HostTensor floats(const Floats& values) { return of<float>({static_cast<Index>(values.size())}, values); }
HostTensor integers(const Integers& values) { return of<std::int64_t>({static_cast<Index>(values.size())}, values); }

template <class T>
std::vector<T> values(const HostTensor& tensor) {
  EXPECT_EQ(tensor.type, element_type_of<T>());
  EXPECT_EQ(static_cast<Index>(tensor.view<T>().size()), tensor.size());
  return {tensor.view<T>().begin(), tensor.view<T>().end()};
}

bool is_refused(const std::string& type, const std::vector<HostTensor>& inputs, const Attributes& attributes = {}) {
  try {
    (void)outputs_of(type, inputs, attributes);
  } catch (const InvalidInput& error) {
    return std::string(error.what()).starts_with("node 'y-maker' (" + type + "): ");
  }
  return false;
}

TEST(EvaluateArithmetic, NeverOverflowsUndefined) {
  constexpr std::int64_t low = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t high = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(values<std::int64_t>(run("Add", {integers({high}), integers({1})})), Integers{low});
  EXPECT_EQ(values<std::int64_t>(run("Div", {integers({low, 7, -7}), integers({-1, 0, 2})})), (Integers{low, 0, -3}));
  EXPECT_EQ(values<std::int64_t>(run("Neg", {integers({low})})), Integers{low});
  EXPECT_EQ(values<std::int64_t>(run("Abs", {integers({low, -3})})), (Integers{low, 3}));
  EXPECT_EQ(values<std::int64_t>(run("Mod", {integers({low, 5, -5, 5}), integers({-1, 0, 3, -3})})),
            (Integers{0, 0, 1, -1}));
  EXPECT_EQ(values<std::int64_t>(run("Mod", {integers({-5, 5}), integers({3, -3})}, {attribute("fmod", 1)})),
            (Integers{-2, 2}));
  EXPECT_EQ(values<std::int64_t>(run("Pow", {integers({2, 0, -1, 3}), integers({62, -1, -3, 0})})),
            (Integers{std::int64_t{1} << 62, 0, -1, 1}));
  EXPECT_EQ(values<std::uint8_t>(run("Mul", {of<std::uint8_t>({1}, {200}), of<std::uint8_t>({1}, {2})})),
            std::vector<std::uint8_t>{144});
  const auto shifted = run("BitShift", {of<std::uint16_t>({3}, {1, 1, 3}), of<std::uint16_t>({3}, {3, 99, 15})},
                           {attribute("direction", std::string("LEFT"))});
  EXPECT_EQ(values<std::uint16_t>(shifted), (std::vector<std::uint16_t>{8, 0, 0x8000}));
}

TEST(EvaluateArithmetic, BroadcastsAsNumpyDoes) {
  const HostTensor sum = run("Add", {of<float>({2, 1}, {10, 20}), of<float>({3}, {1, 2, 3})});
  EXPECT_EQ(sum.shape, (Shape{2, 3}));
  EXPECT_EQ(values<float>(sum), (Floats{11, 12, 13, 21, 22, 23}));
  EXPECT_EQ(run("Mul", {of<float>({0, 2}, {}), of<float>({1, 2}, {1, 2})}).shape, (Shape{0, 2}));
  EXPECT_TRUE(is_refused("Add", {floats({1, 2}), floats({1, 2, 3})}));
  EXPECT_TRUE(is_refused("Add", {floats({1}), integers({1})}));
  EXPECT_TRUE(is_refused("Add", {floats({1})}));
}

TEST(EvaluateArithmetic, RoundsSixteenBitFloatsAfterEachNode) {
  const auto half = [](float value) { return converted(floats({value}), ElementType::f16); };
  const HostTensor sum = run("Add", {half(2048), half(1)});
  EXPECT_EQ(sum.type, ElementType::f16);
  EXPECT_EQ(number_at(sum, 0), 2048);
  EXPECT_EQ(number_at(run("Exp", {half(20)}), 0), inf);
}

TEST(EvaluateArithmetic, LetsNansThrough) {
  EXPECT_TRUE(std::isnan(values<float>(run("Max", {floats({1}), floats({nan})})).front()));
  EXPECT_TRUE(std::isnan(values<float>(run("Min", {floats({nan}), floats({1})})).front()));
  EXPECT_TRUE(std::isnan(values<float>(run("Clip", {floats({nan}), of<float>({}, {0}), of<float>({}, {1})})).front()));
  EXPECT_EQ(values<bool>(run("IsInf", {floats({inf, -inf, nan})}, {attribute("detect_negative", 0)})),
            (std::vector<bool>{true, false, false}));
}

TEST(EvaluateRound, GoesToEven) {
  EXPECT_EQ(values<float>(run("Round", {floats({0.5F, 1.5F, 2.5F, -2.5F, 0.6F})})), (Floats{0, 2, 2, -2, 1}));
}

TEST(EvaluateSlice, TakesWhatOnnxSays) {
  const HostTensor x = integers({0, 1, 2, 3, 4});
  const auto slice = [&](std::int64_t start, std::int64_t end, std::int64_t step) {
    return values<std::int64_t>(run("Slice", {x, integers({start}), integers({end}), integers({0}), integers({step})}));
  };
  constexpr std::int64_t far = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(slice(1, far, 2), (Integers{1, 3}));
  EXPECT_EQ(slice(-1, -far - 1, -1), (Integers{4, 3, 2, 1, 0}));
  EXPECT_EQ(slice(3, 1, 1), Integers{});
  EXPECT_EQ(slice(0, 5, far), Integers{0});
  EXPECT_EQ(slice(4, -far - 1, -far - 1), Integers{4});
  EXPECT_EQ(slice(-2, 3, -1), Integers{});
  const auto none = run("Slice", {of<float>({0}, {}), integers({0}), integers({5}), integers({0}), integers({-1})});
  EXPECT_EQ(none.shape, Shape{0});
}

TEST(EvaluateReshape, ResolvesZeroAndMinusOneOfEmptyTensors) {
  EXPECT_EQ(run("Reshape", {of<float>({2, 3}, Floats(6)), integers({0, -1, 1})}).shape, (Shape{2, 3, 1}));
  EXPECT_EQ(run("Reshape", {of<float>({0, 3}, {}), integers({3, 0})}, {attribute("allowzero", 1)}).shape,
            (Shape{3, 0}));
  constexpr std::int64_t large = std::int64_t{1} << 62;
  EXPECT_TRUE(is_refused("Reshape", {floats({1, 2}), integers({large, large, 4})}));
  EXPECT_TRUE(is_refused("Reshape", {floats({1, 2}), integers({-1, -1})}));
}

TEST(EvaluatePad, KnowsEveryMode) {
  const HostTensor x = floats({1, 2, 3});
  const auto pad = [&](const std::string& mode) {
    return values<float>(run("Pad", {x, integers({2, 1})}, {attribute("mode", mode)}));
  };
  EXPECT_EQ(pad("constant"), (Floats{0, 0, 1, 2, 3, 0}));
  EXPECT_EQ(pad("reflect"), (Floats{3, 2, 1, 2, 3, 2}));
  EXPECT_EQ(pad("edge"), (Floats{1, 1, 1, 2, 3, 3}));
  EXPECT_EQ(pad("wrap"), (Floats{2, 3, 1, 2, 3, 1}));
  EXPECT_EQ(values<float>(run("Pad", {x, integers({-1, -1})})), Floats{2});
  EXPECT_EQ(run("Pad", {x, integers({-3, -3})}).shape, Shape{0});
  EXPECT_TRUE(is_refused("Pad", {x, integers({std::int64_t{1} << 40, 0})}));
}

TEST(EvaluateGather, CountsNegativeIndicesFromTheBackAndRefusesOthers) {
  const HostTensor x = of<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(values<float>(run("Gather", {x, integers({-1, 0})}, {attribute("axis", 1)})), (Floats{2, 1, 4, 3}));
  EXPECT_EQ(run("Gather", {x, of<std::int64_t>({0}, {})}).shape, (Shape{0, 2}));
  for (const std::int64_t wrong : {std::int64_t{2}, std::int64_t{-3}, std::numeric_limits<std::int64_t>::min()}) {
    EXPECT_TRUE(is_refused("Gather", {x, integers({wrong})}));
    EXPECT_TRUE(is_refused("GatherElements", {x, of<std::int64_t>({1, 1}, {wrong})}));
    EXPECT_TRUE(is_refused("GatherND", {x, of<std::int64_t>({1, 1}, {wrong})}));
    EXPECT_TRUE(is_refused("ScatterND", {x, of<std::int64_t>({1, 1}, {wrong}), of<float>({1, 2}, {0, 0})}));
    EXPECT_TRUE(is_refused("ScatterElements", {x, of<std::int64_t>({1, 1}, {wrong}), of<float>({1, 1}, {0})}));
  }
}

TEST(EvaluateScatter, CombinesRepeatedIndices) {
  const auto with = [](const std::string& reduction) {
    return values<float>(run("ScatterElements", {floats({1, 2, 3}), integers({1, 1}), floats({10, 20})},
                             {attribute("reduction", reduction)}));
  };
  EXPECT_EQ(with("none"), (Floats{1, 20, 3}));
  EXPECT_EQ(with("add"), (Floats{1, 32, 3}));
  EXPECT_EQ(with("mul"), (Floats{1, 400, 3}));
  EXPECT_EQ(with("max"), (Floats{1, 20, 3}));
  EXPECT_EQ(with("min"), (Floats{1, 2, 3}));
}

TEST(EvaluateReduce, ReducesNothingToTheNeutralElement) {
  const HostTensor none = of<float>({2, 0}, {});
  const HostTensor axis = integers({1});
  EXPECT_EQ(values<float>(run("ReduceSum", {none, axis}, {attribute("keepdims", 0)})), (Floats{0, 0}));
  EXPECT_EQ(values<float>(run("ReduceProd", {none, axis}, {}, 18)), (Floats{1, 1}));
  EXPECT_EQ(values<float>(run("ReduceMax", {none, axis}, {}, 18)), (Floats{-inf, -inf}));
  EXPECT_EQ(values<float>(run("ReduceLogSumExp", {none, axis}, {}, 18)), (Floats{-inf, -inf}));
  EXPECT_EQ(run("ReduceSum", {none, axis}).shape, (Shape{2, 1}));
  EXPECT_TRUE(is_refused("ArgMax", {none}, {attribute("axis", 1)}));
}

TEST(EvaluateTopK, OrdersEqualElementsAndNans) {
  const auto top = outputs_of("TopK", {floats({1, 3, nan, 3, 2}), integers({4})}, {}, 11, 2);
  EXPECT_EQ(values<std::int64_t>(top[1]), (Integers{2, 1, 3, 4}));
  const auto least = outputs_of("TopK", {floats({1, 3, nan, 1}), integers({3})}, {attribute("largest", 0)}, 11, 2);
  EXPECT_EQ(values<std::int64_t>(least[1]), (Integers{0, 3, 1}));
  EXPECT_TRUE(is_refused("TopK", {floats({1}), integers({2})}));
  EXPECT_TRUE(is_refused("TopK", {floats({1}), integers({-1})}));
}

TEST(EvaluateUnique, GivesFirstPlacesGroupsAndCounts) {
  const auto found = outputs_of("Unique", {integers({5, 1, 5, 3})}, {attribute("sorted", 0)}, 11, 4);
  EXPECT_EQ(values<std::int64_t>(found[0]), (Integers{5, 1, 3}));
  EXPECT_EQ(values<std::int64_t>(found[1]), (Integers{0, 1, 3}));
  EXPECT_EQ(values<std::int64_t>(found[2]), (Integers{0, 1, 0, 2}));
  EXPECT_EQ(values<std::int64_t>(found[3]), (Integers{2, 1, 1}));
  const HostTensor rows = of<float>({3, 2}, {2, 1, 1, 0, 2, 1});
  EXPECT_EQ(values<float>(run("Unique", {rows}, {attribute("axis", 0)})), (Floats{1, 0, 2, 1}));
  EXPECT_EQ(run("Unique", {of<float>({0}, {})}).shape, Shape{0});
}

TEST(EvaluateNonMaxSuppression, KeepsTheBestOfThoseThatOverlap) {
  const HostTensor boxes = of<float>({1, 3, 4}, {0, 0, 1, 1, 0, 0.1F, 1, 1.1F, 0, 5, 1, 6});
  const HostTensor scores = of<float>({1, 1, 3}, {0.8F, 0.9F, 0.7F});
  const auto kept = [&](std::int64_t most, float overlap, float least) {
    return values<std::int64_t>(
        run("NonMaxSuppression", {boxes, scores, integers({most}), floats({overlap}), floats({least})}));
  };
  EXPECT_EQ(kept(3, 0.5F, 0), (Integers{0, 0, 1, 0, 0, 2}));
  EXPECT_EQ(kept(3, 0.99F, 0), (Integers{0, 0, 1, 0, 0, 0, 0, 0, 2}));
  EXPECT_EQ(kept(1, 0.5F, 0), (Integers{0, 0, 1}));
  EXPECT_EQ(run("NonMaxSuppression", {boxes, scores, integers({3}), floats({0.5F}), floats({1})}).shape, (Shape{0, 3}));
}

TEST(EvaluateRange, EndsWhereNumbersDo) {
  constexpr std::int64_t high = std::numeric_limits<std::int64_t>::max();
  const auto scalar = [](std::int64_t value) { return of<std::int64_t>({}, {value}); };
  EXPECT_EQ(values<std::int64_t>(run("Range", {scalar(5), scalar(0), scalar(-2)})), (Integers{5, 3, 1}));
  EXPECT_EQ(values<std::int64_t>(run("Range", {scalar(high - 1), scalar(high), scalar(high)})), (Integers{high - 1}));
  EXPECT_TRUE(is_refused("Range", {scalar(-high), scalar(high), scalar(1)}));
  EXPECT_TRUE(is_refused("Range", {scalar(0), scalar(1), scalar(0)}));
}

TEST(EvaluateEinsum, MultipliesAndSums) {
  const HostTensor a = of<float>({2, 2}, {1, 2, 3, 4});
  const auto einsum = [&](const std::string& equation, const std::vector<HostTensor>& inputs) {
    return values<float>(run("Einsum", inputs, {attribute("equation", equation)}));
  };
  EXPECT_EQ(einsum("ij,jk->ik", {a, a}), (Floats{7, 10, 15, 22}));
  EXPECT_EQ(einsum("ij->ji", {a}), (Floats{1, 3, 2, 4}));
  EXPECT_EQ(einsum("ii", {a}), Floats{5});
  EXPECT_EQ(einsum("...j->...", {a}), (Floats{3, 7}));
  for (const std::string wrong : {"ij,jk->ik", "i->i", "ij->k", "ij->ii", "i$->i", "..j->j"})
    EXPECT_TRUE(is_refused("Einsum", {a}, {attribute("equation", wrong)})) << wrong;
}

TEST(Evaluate, StopsWhereTheBudgetEnds) {
  const onnx::NodeProto proto = node("MatMul", {"a", "b"}, {"y"});
  const HostTensor a = of<float>({100, 100}, Floats(10000));
  Budget budget(1e5);
  EXPECT_THROW((void)evaluate(Node(proto, 17), {&a, &a}, budget), InvalidInput);
}

TEST(Evaluate, RefusesInputsThatAreMissing) {
  EXPECT_FALSE(can_evaluate("Conv"));
  for (const std::string type : {"Add", "Relu", "Gather", "TopK", "Where", "Concat", "NonMaxSuppression", "Einsum"}) {
    EXPECT_TRUE(can_evaluate(type));
    EXPECT_TRUE(is_refused(type, {})) << type;
  }
}

}  // namespace
}  // namespace strake::onnx_import

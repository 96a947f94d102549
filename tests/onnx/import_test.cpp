// SPDX-License-Identifier: Apache-2.0
#include "onnx/import.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "onnx/models.hpp"

namespace strake::onnx_import {
namespace {

using Integers = std::vector<std::int64_t>;

std::string complaint(const std::function<void()>& act) {
  try {
    act();
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "";
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

template <class T>
std::vector<T> values(const HostTensor& tensor) {
  EXPECT_EQ(tensor.type, element_type_of<T>());
  return {tensor.view<T>().begin(), tensor.view<T>().end()};
}

// x (4) -> Relu -> TopK, whose indices and values are outputs.
Model top_two_of_relu(TestModel& model) {
  model.input("x", ElementType::f32, {4}).weight("k", HostTensor::of<std::int64_t>({1}, {2}));
  model.add(node("Relu", {"x"}, {"y"})).add(node("TopK", {"y", "k"}, {"values", "indices"}));
  model.output("values", ElementType::f32).output("indices", ElementType::i64);
  return import_model(model.file(), {});
}

TEST(Tail, HoldsWhatTheGraphHasNoOperatorFor) {
  TestModel file;
  const Model model = top_two_of_relu(file);
  ASSERT_EQ(model.tail.nodes.size(), 1U);
  EXPECT_EQ(model.tail.nodes.front().type, "TopK");
  EXPECT_EQ(model.tail.nodes.front().name, "values-maker");
  EXPECT_TRUE(mentions(model.tail.nodes.front().reason, "no such operator"));
  ASSERT_EQ(model.graph.outputs.size(), 1U);  // what the tail reads, seen by nobody else
  EXPECT_EQ(model.graph.outputs.front().name, "y");
}

TEST(Tail, MakesTheOutputsOfTheModel) {
  TestModel file;
  const Model model = top_two_of_relu(file);
  for (int frame = 0; frame < 2; ++frame) {
    const TensorMap outputs = model.tail.run({{"y", HostTensor::of<float>({4}, {0, 3, 1, 2})}});
    ASSERT_EQ(outputs.size(), 2U);
    EXPECT_EQ(values<float>(outputs.at("values")), (std::vector<float>{3, 2}));
    EXPECT_EQ(values<std::int64_t>(outputs.at("indices")), (Integers{1, 3}));
  }
}

TEST(Tail, IsEmptyWhereTheGraphHoldsEverything) {
  TestModel model;
  model.input("x", ElementType::f32, {4}).add(node("Relu", {"x"}, {"y"})).output("y", ElementType::f32);
  EXPECT_FALSE(import_model(model.file(), {}).tail.run);
}

TEST(Tail, TakesEverythingBehindADynamicSize) {
  TestModel model;
  model.input("x", ElementType::f32, {2, 2}).add(node("NonZero", {"x"}, {"places"}));
  model.add(node("Cast", {"places"}, {"numbers"}, {attribute("to", onnx::TensorProto::FLOAT)}));
  model.add(node("Mul", {"numbers", "two"}, {"y"})).weight("two", HostTensor::of<float>({}, {2}));
  model.output("y", ElementType::f32).output("x", ElementType::f32);
  const Model imported = import_model(model.file(), {});
  ASSERT_EQ(imported.tail.nodes.size(), 3U);
  EXPECT_EQ(imported.tail.nodes.back().reason, "'numbers' is computed behind the graph");
  const HostTensor x = HostTensor::of<float>({2, 2}, {0, 5, 0, 6});
  const TensorMap outputs = imported.tail.run({{"x", x}});
  EXPECT_EQ(outputs.at("y").shape, (Shape{2, 2}));
  EXPECT_EQ(values<float>(outputs.at("y")), (std::vector<float>{0, 2, 2, 2}));
  EXPECT_EQ(values<float>(outputs.at("x")), (std::vector<float>{0, 5, 0, 6}));
}

TEST(Tail, WidensHalvesAndGivesThemBack) {
  TestModel model;
  model.input("x", ElementType::f16, {3}).weight("one", converted(HostTensor::of<float>({}, {1}), ElementType::f16));
  model.add(node("Unique", {"x"}, {"u"})).add(node("Add", {"u", "one"}, {"y"})).output("y", ElementType::f16);
  const TensorMap outputs = import_model(model.file(), {}).tail.run({{"x", HostTensor::of<float>({3}, {2, 1, 2})}});
  EXPECT_EQ(outputs.at("y").type, ElementType::f16);
  EXPECT_EQ(values<float>(converted(outputs.at("y"), ElementType::f32)), (std::vector<float>{2, 3}));
}

TEST(Tail, NamesTheNodeThatCannotGoOn) {
  TestModel model;
  model.input("x", ElementType::f32, {3}).input("i", ElementType::i64, {1});
  model.add(node("GatherElements", {"x", "i"}, {"y"})).output("y", ElementType::f32);
  const Model imported = import_model(model.file(), {});
  const std::string text = complaint([&] {
    (void)imported.tail.run(
        {{"x", HostTensor::of<float>({3}, {1, 2, 3})}, {"i", HostTensor::of<std::int64_t>({1}, {7})}});
  });
  EXPECT_TRUE(mentions(text, "node 'y-maker' (GatherElements): index 7 of an axis of 3")) << text;
}

TEST(Import, ReportsAllNodesThatNeitherGraphNorTailCanHold) {
  TestModel model;
  model.input("x", ElementType::f32, {1, 1, 4, 4}).weight("w", HostTensor::of<float>({1, 1, 1, 1}, {1}));
  model.add(node("NonZero", {"x"}, {"a"})).add(node("Cast", {"a"}, {"b"}, {attribute("to", 1)}));
  model.add(node("Conv", {"b", "w"}, {"c"})).add(node("Relu", {"c"}, {"d"})).add(node("LRN", {"b"}, {"e"}));
  model.output("d", ElementType::f32).output("e", ElementType::f32);
  const std::string text = complaint([&] { (void)import_model(model.file(), {}); });
  EXPECT_TRUE(mentions(text, "2 operators are not supported")) << text;
  EXPECT_TRUE(mentions(text, "'c-maker' (Conv): 'b' is computed behind the graph")) << text;
  EXPECT_TRUE(mentions(text, "'e-maker' (LRN)")) << text;
  EXPECT_FALSE(mentions(text, "Relu")) << text;  // only follows
}

TEST(Import, TakesValuesOfInputsThatHaveToBeKnown) {
  TestModel model;
  model.input("x", ElementType::f32, {2, 3}).input("sizes", ElementType::i64, {2});
  model.add(node("Reshape", {"x", "sizes"}, {"y"})).add(node("Relu", {"y"}, {"z"})).output("z", ElementType::f32);
  const Model bound =
      import_model(model.file(), {.shapes = {}, .values = {{"sizes", HostTensor::of<std::int64_t>({2}, {3, -1})}}});
  EXPECT_EQ(bound.bound, (std::vector<std::string>{"sizes"}));
  ASSERT_EQ(bound.graph.inputs.size(), 1U);
  EXPECT_EQ(bound.graph.shape(bound.graph.outputs.front().op), (Shape{3, 2}));
  // Without a value the tail does it, and says what would help.
  const Model open = import_model(model.file(), {});
  ASSERT_EQ(open.tail.nodes.size(), 2U);
  EXPECT_TRUE(mentions(open.tail.nodes.front().reason, "'sizes' has to be known"));
}

TEST(Import, BindsAnInputEvenWhereTheGraphReadsItToo) {
  TestModel model;
  model.input("x", ElementType::f32, {2}).input("n", ElementType::i64, {2});
  model.add(node("Identity", {"n"}, {"m"})).add(node("Reshape", {"x", "m"}, {"y"}));
  model.output("y", ElementType::f32).output("n", ElementType::i64);
  const Model bound =
      import_model(model.file(), {.shapes = {}, .values = {{"n", HostTensor::of<std::int64_t>({2}, {2, 1})}}});
  EXPECT_EQ(bound.graph.inputs.size(), 1U);
  EXPECT_EQ(bound.graph.outputs.size(), 2U);
}

TEST(Import, RefusesValuesOfAnotherTypeOrShape) {
  TestModel model;
  model.input("x", ElementType::i64, {2}).add(node("Identity", {"x"}, {"y"})).output("y", ElementType::i64);
  const std::filesystem::path file = model.file();
  const auto with = [&](HostTensor value) {
    return complaint([&] { (void)import_model(file, {.shapes = {}, .values = {{"x", std::move(value)}}}); });
  };
  EXPECT_EQ(with(HostTensor::of<std::int64_t>({2}, {1, 2})), "");
  EXPECT_TRUE(mentions(with(HostTensor::of<float>({2}, {1, 2})), "input 'x'"));
  EXPECT_TRUE(mentions(with(HostTensor::of<std::int64_t>({3}, {1, 2, 3})), "is 2 in the model") ||
              mentions(with(HostTensor::of<std::int64_t>({3}, {1, 2, 3})), "input 'x'"));
}

TEST(Import, KeepsEmptyTensorsOutOfTheGraph) {
  TestModel model;
  model.input("x", ElementType::f32, {-1, 2}).input("y", ElementType::f32, {3, 2});
  model.add(node("Concat", {"x", "y"}, {"z"}, {attribute("axis", 0)})).output("z", ElementType::f32);
  const Model imported = import_model(model.file(), {.shapes = {{"x", {0, 2}}}, .values = {}});
  EXPECT_EQ(imported.bound, (std::vector<std::string>{"x"}));
  const HostTensor y = HostTensor::of<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(values<float>(imported.tail.run({{"y", y}}).at("z")), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

// A body that takes (trip, condition, sum) and gives (condition, sum + x, trip).
onnx::GraphProto adding_body() {
  onnx::GraphProto body;
  add_value(*body.add_input(), "trip", ElementType::i64, {});
  add_value(*body.add_input(), "goes_on", ElementType::boolean, {});
  add_value(*body.add_input(), "sum", ElementType::f32, {2});
  *body.add_node() = node("Identity", {"goes_on"}, {"again"});
  *body.add_node() = node("Add", {"sum", "x"}, {"next"});
  *body.add_node() = node("Identity", {"trip"}, {"seen"});
  add_value(*body.add_output(), "again", ElementType::boolean, {});
  add_value(*body.add_output(), "next", ElementType::f32, {2});
  add_value(*body.add_output(), "seen", ElementType::i64, {});
  return body;
}

TEST(ControlFlow, MakesALoopTheNodesOfItsTrips) {
  TestModel model;
  model.input("x", ElementType::f32, {2}).weight("n", HostTensor::of<std::int64_t>({}, {3}));
  model.add(node("Loop", {"n", "", "x"}, {"y", "trips"}, {attribute("body", adding_body())}));
  model.output("y", ElementType::f32).output("trips", ElementType::i64);
  const Model imported = import_model(model.file(), {});
  EXPECT_FALSE(imported.tail.run);
  int additions = 0;
  for (const Op& op : imported.graph.ops) additions += as<Input>(op) == nullptr && as<Constant>(op) == nullptr ? 1 : 0;
  EXPECT_EQ(additions, 3);
  ASSERT_EQ(imported.graph.outputs.size(), 2U);
  const auto* trips = as<Constant>(imported.graph.op(imported.graph.outputs[1].op));
  ASSERT_NE(trips, nullptr);
  const Weight& numbers = imported.graph.weight(trips->value);
  EXPECT_EQ(values<std::int64_t>({numbers.type, numbers.shape, numbers.values}), (Integers{0, 1, 2}));
}

TEST(ControlFlow, TakesTheBranchThatIsKnown) {
  for (const bool holds : {true, false}) {
    onnx::GraphProto first;
    *first.add_node() = node("Relu", {"x"}, {"r"});
    add_value(*first.add_output(), "r", ElementType::f32, {2});
    onnx::GraphProto second;
    *second.add_node() = node("NonZero", {"x"}, {"r"});
    add_value(*second.add_output(), "r", ElementType::i64, {1, 2});
    TestModel model;
    model.input("x", ElementType::f32, {2}).weight("c", HostTensor::of<bool>({}, {holds}));
    model.add(node("If", {"c"}, {"y"}, {attribute("then_branch", first), attribute("else_branch", second)}));
    model.output("y", holds ? ElementType::f32 : ElementType::i64);
    EXPECT_EQ(import_model(model.file(), {}).tail.nodes.empty(), holds);
  }
}

TEST(ControlFlow, IsRefusedByNameWhereItIsComputed) {
  TestModel model;
  model.input("x", ElementType::f32, {2}).input("n", ElementType::i64, {});
  model.add(node("Loop", {"n", "", "x"}, {"y", "trips"}, {attribute("body", adding_body())}));
  model.output("y", ElementType::f32);
  EXPECT_TRUE(mentions(complaint([&] { (void)import_model(model.file(), {}); }), "node 'y-maker' (Loop)"));
}

TEST(Import, NamesTheNodeWithoutAnOutput) {
  TestModel model;
  onnx::NodeProto silent = node("Relu", {"x"}, {"z"});
  silent.clear_output();
  model.input("x", ElementType::f32, {1, 1, 4, 4}).add(node("Relu", {"x"}, {"y"})).add(silent);
  model.output("y", ElementType::f32);
  EXPECT_NE(complaint([&] { (void)import_model(model.file(), {}); }).find("output 0 has no name"), std::string::npos);
}

TEST(Import, RefusesAttributesOfAnotherType) {
  const auto complaint_about = [](const onnx::AttributeProto& alpha) {
    TestModel model;
    model.input("x", ElementType::f32, {1, 1, 4, 4}).add(node("LeakyRelu", {"x"}, {"y"}, {alpha}));
    model.output("y", ElementType::f32);
    return complaint([&] { (void)import_model(model.file(), {}); });
  };
  onnx::AttributeProto alpha = attribute("alpha", std::int64_t{1});
  EXPECT_TRUE(mentions(complaint_about(alpha), "attribute alpha has type INT, expected FLOAT"));
  alpha.set_type(onnx::AttributeProto::FLOAT);
  alpha.set_f(0.5F);
  EXPECT_EQ(complaint_about(alpha), "");
  alpha.clear_type();  // as old exporters write it
  EXPECT_EQ(complaint_about(alpha), "");
}

TEST(Import, RefusesAttributesAndInputsThatTheOperatorHasNot) {
  const auto complaint_about = [](const onnx::NodeProto& made, std::int64_t opset) {
    TestModel model(opset);
    model.input("x", ElementType::f32, {1, 1, 4, 4}).add(made).output("y", ElementType::f32);
    return complaint([&] { (void)import_model(model.file(), {}); });
  };
  onnx::NodeProto misspelt = node("LeakyRelu", {"x"}, {"y"}, {attribute("alhpa", std::int64_t{1})});
  EXPECT_TRUE(
      mentions(complaint_about(misspelt, 13), "has attribute alhpa, which LeakyRelu of opset 13 does not have"));
  EXPECT_TRUE(mentions(complaint_about(misspelt, 13), "it has alpha"));
  misspelt.mutable_attribute(0)->set_name("__note");
  EXPECT_EQ(complaint_about(misspelt, 13), "");
  EXPECT_TRUE(mentions(complaint_about(node("Relu", {"x", "x"}, {"y"}), 13), "has 2 inputs, expected at most 1"));
}

TEST(Import, RefusesAWeightThatIsGivenTwice) {
  TestModel model;
  model.input("x", ElementType::f32, {2});
  for (const float value : {1.0F, 2.0F}) model.weight("w", HostTensor::of<float>({1}, {value}));
  model.add(node("Add", {"x", "w"}, {"y"})).output("y", ElementType::f32);
  EXPECT_TRUE(mentions(complaint([&] { (void)import_model(model.file(), {}); }), "weight 'w' is given twice"));
}

TEST(Import, RefusesAConstantOfASizeThatNoFileShouldAskFor) {
  TestModel model;
  model.weight("n", HostTensor::of<std::int64_t>({2}, {1 << 20, 1 << 20}));
  model.add(node("ConstantOfShape", {"n"}, {"y"})).output("y", ElementType::f32);
  EXPECT_TRUE(mentions(complaint([&] { (void)import_model(model.file(), {}); }), "more than 2^28 elements"));
}

TEST(Import, LimitsWhatAllFoldedNodesMake) {
  TestModel model;
  model.weight("n", HostTensor::of<std::int64_t>({1}, {1 << 27}));
  for (const char* name : {"a", "b", "c"})
    model.add(node("ConstantOfShape", {"n"}, {name})).output(name, ElementType::f32);
  EXPECT_TRUE(mentions(complaint([&] { (void)import_model(model.file(), {}); }), "more elements or work"));
}

}  // namespace
}  // namespace strake::onnx_import

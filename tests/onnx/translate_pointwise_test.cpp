// SPDX-License-Identifier: Apache-2.0
// Elementwise nodes and what they become; opsets that the packaged checker does not know are among them.

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/reference.hpp"
#include "onnx/model_file.hpp"
#include "onnx/translator.hpp"

namespace strake::onnx_import {
namespace {

using Values = std::vector<float>;

/// A node "y" (and "z") of inputs "x0", "x1", ... in a graph of its own.
class OneNode {
 public:
  explicit OneNode(const std::string& type, std::int64_t opset = 21) : opset_(opset) {
    proto_.set_name("node");
    proto_.set_op_type(type);
    proto_.add_output("y");
  }

  OneNode& input(Shape shape, Values values, ElementType type = ElementType::f32) {
    const std::string name = next_name();
    const OpId id =
        graph_.add({.name = name, .inputs = {}, .shape = shape, .type = graph_type(type), .attributes = Input{}});
    graph_.inputs.push_back({id, name, type});
    translator_.set(name, id);
    inputs_.push_back(converted(HostTensor::of<float>(std::move(shape), values), graph_type(type)));
    return *this;
  }

  OneNode& constant(Shape shape, const Values& values, ElementType type = ElementType::f32) {
    translator_.set(next_name(), HostValue(converted(HostTensor::of<float>(std::move(shape), values), type)));
    return *this;
  }

  OneNode& left_out() {
    proto_.add_input("");
    return *this;
  }

  OneNode& set(const std::string& name, Index value) {
    auto* attribute = add_attribute(name, onnx::AttributeProto::INT);
    attribute->set_i(value);
    return *this;
  }

  OneNode& set(const std::string& name, float value) {
    auto* attribute = add_attribute(name, onnx::AttributeProto::FLOAT);
    attribute->set_f(value);
    return *this;
  }

  OneNode& set(const std::string& name, const std::string& value) {
    auto* attribute = add_attribute(name, onnx::AttributeProto::STRING);
    attribute->set_s(value);
    return *this;
  }

  OneNode& second_output() {
    proto_.add_output("z");
    return *this;
  }

  void translate() { translation_of(proto_.op_type())(translator_, Node(proto_, opset_)); }

  /// The value of an output.
  HostTensor tensor(const std::string& name = "y") {
    const OpId id = translator_.op_of(name);
    return kernels::reference_tensors(graph_, inputs_)[static_cast<std::size_t>(id)];
  }

  Values values(const std::string& name = "y") {
    const HostTensor floats = converted(tensor(name), ElementType::f32);
    const auto view = floats.view<float>();
    return {view.begin(), view.end()};
  }

  Values run() {
    translate();
    return values();
  }

  /// What kind of operator the output is.
  std::string kind() { return std::string(kind_name(graph_.op(translator_.op_of("y")))); }

 private:
  std::string next_name() {
    proto_.add_input("x" + std::to_string(proto_.input_size()));
    return proto_.input(proto_.input_size() - 1);
  }

  onnx::AttributeProto* add_attribute(const std::string& name, onnx::AttributeProto::AttributeType type) {
    auto* attribute = proto_.add_attribute();
    attribute->set_name(name);
    attribute->set_type(type);
    return attribute;
  }

  std::int64_t opset_;
  onnx::NodeProto proto_;
  Graph graph_;
  Translator translator_{graph_};
  std::vector<HostTensor> inputs_;
};

void expect_near(const Values& found, const Values& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-6F * std::max(1.0F, std::abs(expected[i]))) << i;
}

// ---- activations --------------------------------------------------------------------------------------------------

TEST(TranslatePointwise, ActivationsOfNewOpsets) {
  const Values x = {-2, -0.5F, 0, 1, 3};
  const auto of = [&](auto&& function) {
    Values expected;
    for (const float one : x) expected.push_back(static_cast<float>(function(static_cast<double>(one))));
    return expected;
  };
  expect_near(OneNode("Gelu").input({5}, x).run(),
              of([](double v) { return v * (1 + std::erf(v / std::sqrt(2.0))) / 2; }));
  expect_near(OneNode("Gelu").input({5}, x).set("approximate", std::string("tanh")).run(), of([](double v) {
                return v * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (v + 0.044715 * v * v * v))) / 2;
              }));
  expect_near(OneNode("Mish").input({5}, x).run(), of([](double v) { return v * std::tanh(std::log1p(std::exp(v))); }));
  expect_near(OneNode("Swish").input({5}, x).set("alpha", 2.0F).run(),
              of([](double v) { return v / (1 + std::exp(-2 * v)); }));
  EXPECT_THROW(OneNode("Gelu").input({5}, x).set("approximate", std::string("no")).run(), InvalidInput);
}

TEST(TranslatePointwise, AttributesHaveOnnxDefaults) {
  expect_near(OneNode("LeakyRelu").input({2}, {-1, 2}).run(), {-0.01F, 2});
  expect_near(OneNode("HardSigmoid").input({3}, {-9, 1, 9}).run(), {0, 0.7F, 1});
  expect_near(OneNode("Shrink").input({4}, {-1, -0.5F, 0.25F, 2}).run(), {-1, 0, 0, 2});
  expect_near(OneNode("ThresholdedRelu").input({2}, {1, 1.5F}).run(), {0, 1.5F});
  expect_near(OneNode("Selu").input({2}, {-1, 1}).run(), {1.0507010F * 1.6732632F * (std::exp(-1.0F) - 1), 1.0507010F});
  expect_near(OneNode("Celu").input({2}, {-2, 2}).set("alpha", 2.0F).run(), {2 * (std::exp(-1.0F) - 1), 2});
}

// ---- arithmetic ---------------------------------------------------------------------------------------------------

TEST(TranslatePointwise, FloatsTakeTheOperatorsThatAreFused) {
  OneNode sum("Add");
  sum.input({2}, {1, 2}).input({2}, {3, 4}).translate();
  EXPECT_EQ(sum.kind(), "Binary");
  OneNode whole("Add");
  whole.input({2}, {1, 2}, ElementType::i32).input({2}, {3, 4}, ElementType::i32).translate();
  EXPECT_EQ(whole.kind(), "Pointwise");
  EXPECT_EQ(whole.tensor().type, ElementType::i32);
  EXPECT_EQ(whole.values(), (Values{4, 6}));
}

TEST(TranslatePointwise, AnyNumberOfOperands) {
  const Values a = {1, 5, 3};
  const Values b = {4, 2, 6};
  for (const ElementType type : {ElementType::f32, ElementType::f64, ElementType::i16}) {
    EXPECT_EQ(OneNode("Max").input({3}, a, type).input({3}, b, type).input({1}, {3}, type).run(), (Values{4, 5, 6}));
    EXPECT_EQ(OneNode("Min").input({3}, a, type).input({3}, b, type).input({1}, {3}, type).run(), (Values{1, 2, 3}));
    EXPECT_EQ(OneNode("Max").input({3}, a, type).run(), a);
  }
  EXPECT_EQ(OneNode("Mean").input({3}, a).input({3}, b).input({1}, {1}).run(), (Values{2, 8.0F / 3, 10.0F / 3}));
  EXPECT_EQ(OneNode("Sum").input({3}, a, ElementType::f64).input({3}, b, ElementType::f64).run(), (Values{5, 7, 9}));
}

TEST(TranslatePointwise, KnownPowersAreShorter) {
  const auto kind_of = [](float exponent) {
    OneNode node("Pow");
    node.input({2}, {4, 9}).constant({}, {exponent}).translate();
    expect_near(node.values(), {std::pow(4.0F, exponent), std::pow(9.0F, exponent)});
    return node.kind();
  };
  EXPECT_EQ(kind_of(2), "Binary");
  EXPECT_EQ(kind_of(0.5F), "Elementwise");
  EXPECT_EQ(kind_of(-1), "Elementwise");
  EXPECT_EQ(kind_of(1), "Input");
  EXPECT_EQ(kind_of(3), "Binary");
  EXPECT_EQ(OneNode("Pow").input({2}, {4, 9}).input({}, {2}, ElementType::i64).run(), (Values{16, 81}));
}

TEST(TranslatePointwise, BitsAndRemainders) {
  const auto i8 = ElementType::i8;
  EXPECT_EQ(OneNode("BitwiseAnd").input({2}, {12, -1}, i8).input({2}, {10, 7}, i8).run(), (Values{8, 7}));
  EXPECT_EQ(OneNode("BitwiseXor").input({2}, {12, -1}, i8).input({2}, {10, 7}, i8).run(), (Values{6, -8}));
  EXPECT_EQ(OneNode("BitwiseNot").input({2}, {12, -1}, i8).run(), (Values{-13, 0}));
  EXPECT_EQ(OneNode("Mod").input({2}, {-7, 7}, i8).input({}, {3}, i8).run(), (Values{2, 1}));
  EXPECT_EQ(OneNode("Mod").input({2}, {-7, 7}).input({}, {3}).set("fmod", Index{1}).run(), (Values{-1, 1}));
  EXPECT_THROW(OneNode("BitShift").input({1}, {1}, i8).input({1}, {1}, i8).run(), InvalidInput);
}

TEST(TranslatePointwise, SlopesPerChannel) {
  OneNode node("PRelu");
  EXPECT_EQ(node.input({1, 2, 1, 2}, {-1, 1, -1, 1}).constant({2, 1, 1}, {0.5F, 0.25F}).run(),
            (Values{-0.5F, 1, -0.25F, 1}));
  OneNode single("PRelu");
  single.input({2}, {-1, 1}).constant({1}, {0.5F}).translate();
  EXPECT_EQ(single.kind(), "Elementwise");
  EXPECT_THROW(OneNode("PRelu").input({1}, {1}).constant({3}, {1, 2, 3}).run(), InvalidInput);
}

// ---- bounds and casts ---------------------------------------------------------------------------------------------

TEST(TranslatePointwise, BoundsMayBeKnownComputedOrLeftOut) {
  const Values x = {-3, 0, 5};
  EXPECT_EQ(OneNode("Clip").input({3}, x).constant({}, {-1}).constant({}, {2}).run(), (Values{-1, 0, 2}));
  EXPECT_EQ(OneNode("Clip").input({3}, x).left_out().constant({}, {2}).run(), (Values{-3, 0, 2}));
  EXPECT_EQ(OneNode("Clip").input({3}, x).input({1}, {-1}).constant({}, {2}).run(), (Values{-1, 0, 2}));
  EXPECT_EQ(OneNode("Clip").input({3}, x).input({}, {-1}).run(), (Values{-1, 0, 5}));
  const auto i64 = ElementType::i64;
  EXPECT_EQ(OneNode("Clip").input({3}, x, i64).constant({}, {-1}, i64).constant({}, {2}, i64).run(),
            (Values{-1, 0, 2}));
  EXPECT_EQ(OneNode("Clip").input({3}, x, i64).left_out().constant({}, {2}, i64).run(), (Values{-3, 0, 2}));
  EXPECT_EQ(OneNode("Clip").input({3}, x, i64).run(), x);
  EXPECT_EQ(OneNode("Clip", 6).input({3}, x).set("max", 1.0F).run(), (Values{-3, 0, 1}));
}

TEST(TranslatePointwise, CastsRoundOnceAndKeepFloatsInside) {
  OneNode half("Cast");
  half.input({2}, {1.0F + std::ldexp(1.0F, -12), 3}).set("to", Index{onnx::TensorProto::FLOAT16}).translate();
  EXPECT_EQ(half.tensor().type, ElementType::f32);
  EXPECT_EQ(half.values(), (Values{1, 3}));
  OneNode like("CastLike");
  like.input({2}, {2.75F, -2.75F}).input({1}, {0}, ElementType::i32).translate();
  EXPECT_EQ(like.tensor().type, ElementType::i32);
  EXPECT_EQ(like.values(), (Values{2, -2}));
  OneNode rounded("CastLike");
  rounded.input({1}, {1.0F + std::ldexp(1.0F, -12)}).input({1}, {0}, ElementType::f16).translate();
  EXPECT_EQ(rounded.values(), Values{1});
  OneNode picture("Cast");
  picture.input({1, 3, 1, 1}, {1, 2, 3}, ElementType::u8).set("to", Index{onnx::TensorProto::FLOAT}).translate();
  EXPECT_EQ(picture.kind(), "NormalizePicture");
}

// ---- repeats ------------------------------------------------------------------------------------------------------

TEST(TranslateRepeat, ExpandsBothWays) {
  const auto i64 = ElementType::i64;
  OneNode node("Expand");
  node.input({3, 1}, {1, 2, 3}).constant({3}, {2, 1, 2}, i64).translate();
  EXPECT_EQ(node.tensor().shape, (Shape{2, 3, 2}));
  EXPECT_EQ(node.values(), (Values{1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3}));
  OneNode same("Expand");
  same.input({2, 1}, {1, 2}).constant({1}, {1}, i64).translate();
  EXPECT_EQ(same.kind(), "Input");
  EXPECT_THROW(OneNode("Expand").input({2}, {1, 2}).constant({1}, {3}, i64).run(), InvalidInput);
}

TEST(TranslateRepeat, TilesTrianglesAndEyes) {
  const auto i64 = ElementType::i64;
  EXPECT_EQ(OneNode("Tile").input({1, 2}, {1, 2}).constant({2}, {2, 2}, i64).run(), (Values{1, 2, 1, 2, 1, 2, 1, 2}));
  EXPECT_EQ(OneNode("Trilu").input({2, 2}, {1, 2, 3, 4}).run(), (Values{1, 2, 0, 4}));
  EXPECT_EQ(OneNode("Trilu").input({2, 2}, {1, 2, 3, 4}).constant({}, {-1}, i64).set("upper", Index{0}).run(),
            (Values{0, 0, 3, 0}));
  OneNode eye("EyeLike");
  eye.input({2, 3}, Values(6)).set("k", Index{1}).set("dtype", Index{onnx::TensorProto::INT32}).translate();
  EXPECT_EQ(eye.tensor().type, ElementType::i32);
  EXPECT_EQ(eye.values(), (Values{0, 1, 0, 0, 0, 1}));
}

TEST(TranslateRepeat, DropoutKeepsEverythingOutsideOfTraining) {
  OneNode node("Dropout");
  node.input({2}, {1, 2}).constant({}, {0.5F}).constant({}, {0}, ElementType::boolean).second_output().translate();
  EXPECT_EQ(node.values(), (Values{1, 2}));
  EXPECT_EQ(node.tensor("z").type, ElementType::boolean);
  EXPECT_EQ(node.values("z"), (Values{1, 1}));
  OneNode training("Dropout");
  training.input({2}, {1, 2}).constant({}, {0.5F}).constant({}, {1}, ElementType::boolean);
  EXPECT_THROW(training.translate(), InvalidInput);
}

}  // namespace
}  // namespace strake::onnx_import

// SPDX-License-Identifier: Apache-2.0
// Normalisations that ONNX's own tests lack, against their definitions.

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/interval_map.hpp"
#include "core/rewrite/rewrite.hpp"
#include "kernels/reference.hpp"
#include "onnx/translator.hpp"

namespace strake::onnx_import {
namespace {

using Values = std::vector<float>;

const Shape map = {2, 6, 4, 5};

Values random_values(Index n) {
  std::mt19937 random(31);
  Values values;
  for (Index i = 0; i < n; ++i) values.push_back(std::uniform_real_distribution<float>(-1, 3)(random));
  return values;
}

void set(onnx::NodeProto& node, const std::string& name, Index value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(value);
}

onnx::NodeProto node_of(const std::string& type, const std::vector<std::string>& inputs, const std::string& output) {
  onnx::NodeProto node;
  node.set_name(output);
  node.set_op_type(type);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  return node;
}

/// Nodes over an input "x" that is `map`, the last of them called "y".
class Model {
 public:
  explicit Model(std::int64_t opset) : opset_(opset) {
    const OpId x =
        graph_.add({.name = "x", .inputs = {}, .shape = map, .type = ElementType::f32, .attributes = Input{}});
    graph_.inputs.push_back({x, "x", ElementType::f32});
    translator_.set("x", x);
  }

  void constant(const std::string& name, const HostValue& value) { translator_.set(name, value); }
  void node(const onnx::NodeProto& proto) { translation_of(proto.op_type())(translator_, Node(proto, opset_)); }

  // As an import does it: rewritten, with "y" as the output.
  Graph take() {
    graph_.outputs.push_back({translator_.op_of("y"), "y", ElementType::f32});
    rewrite::optimise(graph_);
    return graph_;
  }

 private:
  Graph graph_;
  Translator translator_{graph_};
  std::int64_t opset_;
};

Values evaluated(const Graph& graph, const Values& x) {
  return kernels::evaluate_reference(graph, {x})[static_cast<std::size_t>(graph.outputs.front().op)];
}

// (x - mean) / sqrt(variance + 1e-5) over the channels of each group and all places.
Values normalised(const Values& x, Index n_groups) {
  const Index cells = map[1] / n_groups * map[2] * map[3];
  Values result;
  for (Index group = 0; group < map[0] * n_groups; ++group) {
    const auto at = [&](Index i) { return static_cast<double>(x[static_cast<std::size_t>(group * cells + i)]); };
    double mean = 0;
    for (Index i = 0; i < cells; ++i) mean += at(i) / static_cast<double>(cells);
    double variance = 0;
    for (Index i = 0; i < cells; ++i) variance += (at(i) - mean) * (at(i) - mean) / static_cast<double>(cells);
    for (Index i = 0; i < cells; ++i) result.push_back(static_cast<float>((at(i) - mean) / std::sqrt(variance + 1e-5)));
  }
  return result;
}

// Times scale and plus shift of each channel.
Values per_channel(Values values, const Values& scale, const Values& shift) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t channel = i / static_cast<std::size_t>(map[2] * map[3]) % scale.size();
    values[i] = values[i] * scale[channel] + shift[channel];
  }
  return values;
}

void expect_near(const Values& found, const Values& expected) {
  ASSERT_EQ(found.size(), expected.size());
  // Statistics of some hundred floats are rounded to float.
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 2e-5) << "element " << i;
}

// Every operator on a map is cut along rows: no rank has to gather it.
void expect_strips(const Graph& graph) {
  const std::vector<int> axes = strip_axes(graph, SplitAxis::rows);
  for (OpId id = 0; id < graph.size(); ++id) {
    if (as<Input>(graph.op(id)) != nullptr || graph.shape(id) != map) continue;
    EXPECT_EQ(axes[static_cast<std::size_t>(id)], 2) << graph.op(id).name;
  }
}

TEST(GroupNormalization, HasScalesPerChannelSinceOpset21AndPerGroupBefore) {
  const Values x = random_values(volume(map));
  const Values of_groups = {2, 0.5F, -1};
  const Values shifts = {0, 1, 2};
  const Values of_channels = {2, 2, 0.5F, 0.5F, -1, -1};
  const Values channel_shifts = {0, 0, 1, 1, 2, 2};
  for (const std::int64_t opset : {18, 21}) {
    Model model(opset);
    model.constant("scale",
                   opset == 18 ? HostValue::of_floats({3}, of_groups) : HostValue::of_floats({6}, of_channels));
    model.constant("shift",
                   opset == 18 ? HostValue::of_floats({3}, shifts) : HostValue::of_floats({6}, channel_shifts));
    onnx::NodeProto node = node_of("GroupNormalization", {"x", "scale", "shift"}, "y");
    set(node, "num_groups", 3);
    model.node(node);
    const Graph graph = model.take();
    expect_near(evaluated(graph, x), per_channel(normalised(x, 3), of_channels, channel_shifts));
    expect_strips(graph);
  }
}

TEST(InstanceNormalization, OfReshapedGroupsStaysOnTheMap) {
  const Values x = random_values(volume(map));
  Model model(17);
  model.constant("groups", HostValue::of_integers({3}, {0, 2, -1}));
  model.constant("shape", HostValue::of_integers({4}, {2, 6, 4, 5}));
  model.constant("scale", HostValue::of_floats({2}, {1, 3}));
  model.constant("shift", HostValue::of_floats({2}, {0, -1}));
  model.node(node_of("Reshape", {"x", "groups"}, "grouped"));
  model.node(node_of("InstanceNormalization", {"grouped", "scale", "shift"}, "normal"));
  model.node(node_of("Reshape", {"normal", "shape"}, "y"));
  const Graph graph = model.take();
  expect_near(evaluated(graph, x), per_channel(normalised(x, 2), {1, 1, 1, 3, 3, 3}, {0, 0, 0, -1, -1, -1}));
  expect_strips(graph);
  for (const Op& op : graph.ops) EXPECT_NE(op.shape, (Shape{2, 2, 60})) << op.name;
}

TEST(LpNormalization, DividesByTheNorm) {
  const Values x = random_values(volume(map));
  for (const Index p : {1, 2}) {
    Model model(17);
    onnx::NodeProto node = node_of("LpNormalization", {"x"}, "y");
    set(node, "p", p);
    set(node, "axis", 3);
    model.node(node);
    Values expected;
    for (std::size_t row = 0; row < x.size(); row += 5) {
      double sum = 0;
      for (std::size_t i = row; i < row + 5; ++i) sum += std::pow(std::abs(static_cast<double>(x[i])), p);
      const double norm = p == 1 ? sum : std::sqrt(sum);
      for (std::size_t i = row; i < row + 5; ++i) expected.push_back(static_cast<float>(x[i] / norm));
    }
    expect_near(evaluated(model.take(), x), expected);
  }
}

TEST(GlobalLpPool, TakesAnyPower) {
  const Values x = random_values(volume(map));
  for (const Index p : {1, 2, 3}) {
    Model model(17);
    onnx::NodeProto node = node_of("GlobalLpPool", {"x"}, "y");
    set(node, "p", p);
    model.node(node);
    const Values found = evaluated(model.take(), x);
    ASSERT_EQ(found.size(), 12U);
    for (std::size_t channel = 0; channel < 12; ++channel) {
      double sum = 0;
      for (std::size_t i = channel * 20; i < (channel + 1) * 20; ++i)
        sum += std::pow(std::abs(static_cast<double>(x[i])), p);
      EXPECT_NEAR(found[channel], std::pow(sum, 1.0 / static_cast<double>(p)), 1e-4) << "power " << p;
    }
  }
}

}  // namespace
}  // namespace strake::onnx_import

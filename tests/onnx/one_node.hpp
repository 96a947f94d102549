// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One ONNX node in a graph of its own, translated and computed by the reference.

#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "kernels/reference.hpp"
#include "onnx/translator.hpp"

namespace strake::onnx_import::test {

using strake::test::pick;
using strake::test::Random;
using Values = std::vector<float>;

inline Values random_values(Random& random, const Shape& shape) {
  Values values;
  for (Index i = 0; i < volume(shape); ++i) values.push_back(std::uniform_real_distribution<float>(-1, 1)(random));
  return values;
}

/// A node that makes "y" of `inputs`.
inline onnx::NodeProto node_of(const std::string& type, const std::vector<std::string>& inputs) {
  onnx::NodeProto node;
  node.set_name("node");
  node.set_op_type(type);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output("y");
  return node;
}

inline void set(onnx::NodeProto& node, const std::string& name, const std::vector<Index>& values) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  for (const Index value : values) attribute->add_ints(value);
}

inline void set(onnx::NodeProto& node, const std::string& name, Index value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(value);
}

inline void set(onnx::NodeProto& node, const std::string& name, const std::string& value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::STRING);
  attribute->set_s(value);
}

struct Translated {
  Graph graph;
  Shape shape;  // of "y"
  Values values;
};

/// @param x          the values of the one input that is computed, "x"
/// @param constants  all other inputs
/// @throws InvalidInput as the translation does
inline Translated translate(const onnx::NodeProto& proto, const Shape& x_shape, const Values& x,
                            const std::map<std::string, HostValue>& constants = {}, std::int64_t opset = 19) {
  Translated result;
  Translator translator(result.graph);
  const OpId src =
      result.graph.add({.name = "x", .inputs = {}, .shape = x_shape, .type = ElementType::f32, .attributes = Input{}});
  result.graph.inputs.push_back({src, "x", ElementType::f32});
  translator.set("x", src);
  for (const auto& [name, value] : constants) translator.set(name, value);
  translation_of(proto.op_type())(translator, Node(proto, opset));
  const OpId y = translator.op_of("y");
  result.shape = result.graph.shape(y);
  result.values = kernels::evaluate_reference(result.graph, {x})[static_cast<std::size_t>(y)];
  return result;
}

}  // namespace strake::onnx_import::test

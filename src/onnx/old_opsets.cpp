// SPDX-License-Identifier: Apache-2.0
#include "onnx/old_opsets.hpp"

#include <set>

namespace strake::onnx_import {

namespace {

bool broadcasts(const std::string& type) {
  static const std::set<std::string> types = {"Add", "And", "Div", "Equal", "Greater", "Less",
                                              "Mul", "Or",  "Pow", "Sub",   "Xor"};
  return types.contains(type);
}

// The first axis of `whole` that the operand's first axis stands for, or -1 where they count from the last.
int first_axis(const Node& node, const Shape& whole, const Shape& operand) {
  if (node.type() == "PRelu") return operand.size() == 1 && operand[0] > 1 && whole.size() > 2 ? 1 : -1;
  if (!broadcasts(node.type()) || node.attribute("axis") == nullptr) return -1;
  return axis_of(node, node.integer("axis", 0), whole.size());
}

}  // namespace

std::optional<onnx::NodeProto> modernised(Translator& t, const Node& node) {
  if (node.opset() >= 7 || !node.has_input(0) || !node.has_input(1)) return std::nullopt;
  if (node.type() != "PRelu" && !broadcasts(node.type())) return std::nullopt;
  if (node.proto().output().empty()) return std::nullopt;
  const Shape whole = t.shape(node, 0);
  Shape shape = t.shape(node, 1);
  const int first = first_axis(node, whole, shape);
  if (first < 0) return std::nullopt;
  const std::size_t end = static_cast<std::size_t>(first) + shape.size();
  if (end > whole.size())
    throw node.error("cannot broadcast " + to_string(shape) + " along axis " + std::to_string(first) + " of " +
                     to_string(whole));
  shape.resize(shape.size() + whole.size() - end, 1);
  onnx::NodeProto modern = node.proto();
  modern.clear_attribute();
  for (const auto& attribute : node.proto().attribute())
    if (attribute.name() != "axis" && attribute.name() != "broadcast") *modern.add_attribute() = attribute;
  modern.set_input(1, node.proto().output(0) + "/operand");
  if (const HostValue* constant = t.constant(node, 1)) {
    HostValue reshaped = *constant;
    reshaped.shape = shape;
    t.set(modern.input(1), std::move(reshaped));
  } else {
    t.set(modern.input(1), t.reshape(node, t.op(node, 1), shape));
  }
  return modern;
}

}  // namespace strake::onnx_import

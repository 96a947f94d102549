// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Typed access to a node's attributes, with errors that name the node.

#include <onnx/onnx_pb.h>

#include <optional>
#include <string>
#include <vector>

#include "core/errors.hpp"

namespace strake::onnx_import {

/// A node that is right but cannot stand in the graph: a type, a rank or a size known only at run time for which the
/// graph has no operator. It is left to the tail, or reported with all others that are not supported.
class NotInGraph : public InvalidInput {
 public:
  NotInGraph(const std::string& where, const std::string& why) : InvalidInput(where + ": " + why), why_(why) {}
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  std::string why_;
};

class Node {
 public:
  Node(const onnx::NodeProto& proto, std::int64_t opset) : proto_(&proto), opset_(opset) {}

  [[nodiscard]] const onnx::NodeProto& proto() const { return *proto_; }
  [[nodiscard]] const std::string& type() const { return proto_->op_type(); }
  [[nodiscard]] std::int64_t opset() const { return opset_; }
  /// "node 'conv1' (Conv)"; nodes without a name are called by their first output.
  [[nodiscard]] std::string where() const { return "node '" + name() + "' (" + type() + ")"; }
  [[nodiscard]] std::string name() const {
    if (!proto_->name().empty()) return proto_->name();
    return proto_->output_size() > 0 ? proto_->output(0) : type();
  }
  [[nodiscard]] InvalidInput error(const std::string& what) const { return InvalidInput(where() + ": " + what); }

  /// For what the graph has no operator for; `error` is for what is wrong.
  [[nodiscard]] NotInGraph not_in_graph(const std::string& why) const { return {where(), why}; }

  [[nodiscard]] int n_inputs() const { return proto_->input_size(); }
  /// An input that is given: optional ones may be left empty.
  [[nodiscard]] bool has_input(int i) const { return i < proto_->input_size() && !proto_->input(i).empty(); }

  [[nodiscard]] const onnx::AttributeProto* attribute(const std::string& name) const {
    for (const auto& one : proto_->attribute())
      if (one.name() == name) return &one;
    return nullptr;
  }
  [[nodiscard]] std::int64_t integer(const std::string& name, std::int64_t otherwise) const {
    const auto* found = typed(name, onnx::AttributeProto::INT);
    return found == nullptr ? otherwise : found->i();
  }
  [[nodiscard]] float number(const std::string& name, float otherwise) const {
    const auto* found = typed(name, onnx::AttributeProto::FLOAT);
    return found == nullptr ? otherwise : found->f();
  }
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise) const {
    const auto* found = typed(name, onnx::AttributeProto::STRING);
    return found == nullptr ? otherwise : found->s();
  }
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(const std::string& name) const {
    const auto* found = typed(name, onnx::AttributeProto::INTS);
    if (found == nullptr) return std::nullopt;
    return std::vector<std::int64_t>(found->ints().begin(), found->ints().end());
  }

 private:
  // Old exporters leave the type out.
  [[nodiscard]] const onnx::AttributeProto* typed(const std::string& name,
                                                  onnx::AttributeProto::AttributeType type) const {
    const auto* found = attribute(name);
    if (found != nullptr && found->type() != type && found->type() != onnx::AttributeProto::UNDEFINED)
      throw error("attribute " + name + " has type " + onnx::AttributeProto::AttributeType_Name(found->type()) +
                  ", expected " + onnx::AttributeProto::AttributeType_Name(type));
    return found;
  }

  const onnx::NodeProto* proto_;
  std::int64_t opset_;
};

/// `axis` counted from the front, in [0, n). @throws InvalidInput naming the node
[[nodiscard]] inline int axis_of(const Node& node, std::int64_t axis, std::size_t n) {
  const auto size = static_cast<std::int64_t>(n);
  if (axis < -size || axis >= size)
    throw node.error("axis " + std::to_string(axis) + " of a tensor with " + std::to_string(n) + " axes");
  return static_cast<int>(axis < 0 ? axis + size : axis);
}

}  // namespace strake::onnx_import

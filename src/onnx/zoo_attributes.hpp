// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Writes attributes of nodes.

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "core/box.hpp"

namespace strake::zoo {

inline onnx::AttributeProto& add_attribute(onnx::NodeProto& node, const std::string& name,
                                           onnx::AttributeProto::AttributeType type) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

inline void set(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
  add_attribute(node, name, onnx::AttributeProto::INT).set_i(value);
}

inline void set(onnx::NodeProto& node, const std::string& name, float value) {
  add_attribute(node, name, onnx::AttributeProto::FLOAT).set_f(value);
}

inline void set(onnx::NodeProto& node, const std::string& name, const char* value) {
  add_attribute(node, name, onnx::AttributeProto::STRING).set_s(value);
}

inline void set(onnx::NodeProto& node, const std::string& name, const std::vector<Index>& values) {
  auto& attribute = add_attribute(node, name, onnx::AttributeProto::INTS);
  for (const Index value : values) attribute.add_ints(value);
}

}  // namespace strake::zoo

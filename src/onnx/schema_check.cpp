// SPDX-License-Identifier: Apache-2.0
#include "onnx/schema_check.hpp"

#include <onnx/defs/schema.h>

#include <set>

namespace strake::onnx_import {

namespace {

int newest_defined_opset() {
  const auto& ranges = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  const auto found = ranges.find(onnx::ONNX_DOMAIN);
  return found == ranges.end() ? 0 : found->second.second;
}

std::string names_of_attributes(const onnx::OpSchema& schema) {
  std::string list;
  for (const auto& [name, attribute] : schema.attributes()) list += (list.empty() ? "" : ", ") + name;
  return list.empty() ? "none" : list;
}

}  // namespace

void check_against_schema(const Node& node) {
  const std::string& domain = node.proto().domain();
  if ((!domain.empty() && domain != "ai.onnx") || node.opset() > newest_defined_opset()) return;
  const onnx::OpSchema* schema = onnx::OpSchemaRegistry::Schema(node.type(), static_cast<int>(node.opset()));
  if (schema == nullptr) return;
  std::set<std::string> seen;
  for (const auto& attribute : node.proto().attribute()) {
    if (!seen.insert(attribute.name()).second) throw node.error("attribute " + attribute.name() + " is given twice");
    // Two underscores begin what tools note for themselves.
    if (attribute.name().starts_with("__") || schema->attributes().contains(attribute.name())) continue;
    throw node.error("has attribute " + attribute.name() + ", which " + node.type() + " of opset " +
                     std::to_string(node.opset()) + " does not have; it has " + names_of_attributes(*schema));
  }
  if (node.n_inputs() > schema->max_input())
    throw node.error("has " + std::to_string(node.n_inputs()) + " inputs, expected at most " +
                     std::to_string(schema->max_input()));
}

}  // namespace strake::onnx_import

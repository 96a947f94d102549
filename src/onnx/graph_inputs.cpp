// SPDX-License-Identifier: Apache-2.0
#include "onnx/graph_inputs.hpp"

#include <algorithm>
#include <set>

#include "onnx/host_value.hpp"
#include "onnx/model_file.hpp"
#include "onnx/node.hpp"

namespace strake::onnx_import {

namespace {

ElementType port_type(int data_type, const std::string& what) {
  const std::optional<ElementType> type = element_type(data_type);
  if (!type) throw InvalidInput(what + " has elements of type " + type_name(data_type) + ", expected numbers");
  return *type;
}

std::set<std::string> initializer_names(const onnx::GraphProto& graph) {
  std::set<std::string> names;
  for (const auto& tensor : graph.initializer()) names.insert(tensor.name());
  return names;
}

}  // namespace

std::vector<DeclaredInput> inputs_of(const onnx::GraphProto& graph) {
  const std::set<std::string> initializers = initializer_names(graph);
  std::vector<DeclaredInput> inputs;
  for (const auto& info : graph.input()) {
    if (initializers.contains(info.name())) continue;
    if (!info.type().has_tensor_type()) throw InvalidInput("input '" + info.name() + "' is no tensor");
    const auto& tensor = info.type().tensor_type();
    DeclaredInput input{.name = info.name(),
                        .dims = {},
                        .dim_names = {},
                        .type = port_type(tensor.elem_type(), "input '" + info.name() + "'")};
    for (const auto& dim : tensor.shape().dim()) {
      const bool fixed = dim.has_dim_value() && dim.dim_value() > 0;
      input.dims.push_back(fixed ? dim.dim_value() : -1);
      input.dim_names.push_back(dim.has_dim_param() ? dim.dim_param() : "");
    }
    inputs.push_back(std::move(input));
  }
  return inputs;
}

namespace {

std::string dimension_text(const DeclaredInput& input, std::size_t axis) {
  const std::string& name = input.dim_names[axis];
  return "dimension " + std::to_string(axis) + (name.empty() ? "" : " ('" + name + "')") + " of input '" + input.name +
         "'";
}

// The sizes that the options give for an input, or null.
const Shape* given_shape(const DeclaredInput& input, const ImportOptions& options) {
  if (const auto found = options.shapes.find(input.name); found != options.shapes.end()) return &found->second;
  const auto value = options.values.find(input.name);
  return value == options.values.end() ? nullptr : &value->second.shape;
}

}  // namespace

Shape settled_shape(const DeclaredInput& input, const ImportOptions& options) {
  const Shape* given = given_shape(input, options);
  if (given != nullptr && given->size() != input.dims.size() && !input.dims.empty())
    throw InvalidInput("input '" + input.name + "' has " + std::to_string(input.dims.size()) +
                       " dimensions, the given shape " + to_string(*given) + " has " + std::to_string(given->size()));
  Shape shape = input.dims;
  if (input.dims.empty() && given != nullptr) shape.assign(given->size(), -1);
  double cells = 1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (given != nullptr) {
      const Index size = (*given)[axis];
      if (shape[axis] >= 0 && shape[axis] != size && size > 0)
        throw InvalidInput(dimension_text(input, axis) + " is " + std::to_string(shape[axis]) +
                           " in the model, the given size is " + std::to_string(size));
      if (shape[axis] < 0) shape[axis] = size;
    }
    if (shape[axis] < 0 && axis == 0 && shape.size() > 1) shape[axis] = 1;
    if (shape[axis] < 0)
      throw InvalidInput(dimension_text(input, axis) + " is open and nothing tells its size; give it as in --shape " +
                         input.name + "=1,3,480,640");
    // An empty input has no elements to limit its other sizes.
    cells *= static_cast<double>(std::max<Index>(shape[axis], 1));
    if (cells > static_cast<double>(most_folded_elements) * 16)
      throw InvalidInput("input '" + input.name + "' has more than 2^32 elements");
  }
  return shape;
}

namespace {

// What a node reads, with what the graphs inside it (branches, loop bodies) read of the graph around them.
void collect_reads(const onnx::NodeProto& node, std::vector<std::string>& names) {
  names.insert(names.end(), node.input().begin(), node.input().end());
  for (const auto& attribute : node.attribute()) {
    if (!attribute.has_g()) continue;
    for (const auto& inner : attribute.g().node()) collect_reads(inner, names);
    for (const auto& output : attribute.g().output()) names.push_back(output.name());
  }
}

}  // namespace

std::vector<const onnx::NodeProto*> sorted_nodes(const onnx::GraphProto& graph) {
  std::map<std::string, int> maker;
  for (int i = 0; i < graph.node_size(); ++i)
    for (const std::string& output : graph.node(i).output()) {
      if (output.empty()) continue;
      if (!maker.emplace(output, i).second)
        throw InvalidInput("'" + output + "' is made twice: by " + Node(graph.node(i), 0).where() + " and by " +
                           Node(graph.node(maker[output]), 0).where());
    }
  std::vector<int> missing(static_cast<std::size_t>(graph.node_size()), 0);
  std::vector<std::vector<int>> readers(missing.size());
  for (int i = 0; i < graph.node_size(); ++i) {
    std::vector<std::string> reads;
    collect_reads(graph.node(i), reads);
    for (const std::string& input : reads)
      if (const auto found = maker.find(input); found != maker.end()) {
        ++missing[static_cast<std::size_t>(i)];
        readers[static_cast<std::size_t>(found->second)].push_back(i);
      }
  }
  // The order of the file among those that are ready.
  std::set<int> ready;
  for (int i = 0; i < graph.node_size(); ++i)
    if (missing[static_cast<std::size_t>(i)] == 0) ready.insert(i);
  std::vector<const onnx::NodeProto*> order;
  while (!ready.empty()) {
    const int next = *ready.begin();
    ready.erase(ready.begin());
    order.push_back(&graph.node(next));
    for (const int reader : readers[static_cast<std::size_t>(next)])
      if (--missing[static_cast<std::size_t>(reader)] == 0) ready.insert(reader);
  }
  if (order.size() != missing.size()) {
    const auto stuck = std::find_if(missing.begin(), missing.end(), [](int n) { return n > 0; }) - missing.begin();
    throw InvalidInput("the graph has a cycle through " + Node(graph.node(static_cast<int>(stuck)), 0).where());
  }
  return order;
}

}  // namespace strake::onnx_import

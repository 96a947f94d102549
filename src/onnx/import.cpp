// SPDX-License-Identifier: Apache-2.0
#include "onnx/import.hpp"

#include <algorithm>
#include <set>

#include "onnx/model_file.hpp"
#include "onnx/translator.hpp"

namespace strake::onnx_import {

namespace {

ElementType port_type(int data_type, const std::string& what) {
  switch (data_type) {
    case onnx::TensorProto::FLOAT:
      return ElementType::f32;
    case onnx::TensorProto::FLOAT16:
      return ElementType::f16;
    case onnx::TensorProto::UINT8:
      return ElementType::u8;
    default:
      throw InvalidInput(what + " has elements of type " + type_name(data_type) +
                         ", expected float32, float16 or uint8");
  }
}

std::set<std::string> initializer_names(const onnx::GraphProto& graph) {
  std::set<std::string> names;
  for (const auto& tensor : graph.initializer()) names.insert(tensor.name());
  return names;
}

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

std::string dimension_text(const DeclaredInput& input, std::size_t axis) {
  const std::string& name = input.dim_names[axis];
  return "dimension " + std::to_string(axis) + (name.empty() ? "" : " ('" + name + "')") + " of input '" + input.name +
         "'";
}

// The declared shape with open dimensions filled in. An open first dimension is the batch: one frame unless told.
Shape settled_shape(const DeclaredInput& input, const ImportOptions& options) {
  const auto given = options.shapes.find(input.name);
  if (given != options.shapes.end() && given->second.size() != input.dims.size() && !input.dims.empty())
    throw InvalidInput("input '" + input.name + "' has " + std::to_string(input.dims.size()) +
                       " dimensions, the given shape " + to_string(given->second) + " has " +
                       std::to_string(given->second.size()));
  if (input.dims.empty() && given != options.shapes.end()) return given->second;
  Shape shape = input.dims;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (given != options.shapes.end()) {
      const Index size = given->second[axis];
      if (shape[axis] >= 0 && shape[axis] != size && size > 0)
        throw InvalidInput(dimension_text(input, axis) + " is " + std::to_string(shape[axis]) +
                           " in the model, the given size is " + std::to_string(size));
      if (shape[axis] < 0) shape[axis] = size;
    }
    if (shape[axis] < 0 && axis == 0 && shape.size() > 1) shape[axis] = 1;
    if (shape[axis] < 1)
      throw InvalidInput(dimension_text(input, axis) + " is open and nothing tells its size; give it as in --shape " +
                         input.name + "=1,3,480,640");
    if (volume(Shape(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1)) > most_folded_elements * 16)
      throw InvalidInput("input '" + input.name + "' is too large");
  }
  return shape;
}

// Nodes in an order in which each comes after those whose outputs it reads.
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
  for (int i = 0; i < graph.node_size(); ++i)
    for (const std::string& input : graph.node(i).input())
      if (const auto found = maker.find(input); found != maker.end()) {
        ++missing[static_cast<std::size_t>(i)];
        readers[static_cast<std::size_t>(found->second)].push_back(i);
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

std::vector<std::string> unsupported_in(const onnx::ModelProto& model) {
  std::vector<std::string> list;
  for (const auto& proto : model.graph().node()) {
    const bool standard = proto.domain().empty() || proto.domain() == "ai.onnx";
    if (standard && (translation_of(proto.op_type()) != nullptr || can_fold(proto.op_type()))) continue;
    list.push_back("node '" + Node(proto, 0).name() + "' (" + (standard ? "" : proto.domain() + ".") + proto.op_type() +
                   ")");
  }
  return list;
}

bool all_constant(const Translator& translator, const Node& node) {
  for (int i = 0; i < node.n_inputs(); ++i)
    if (node.has_input(i) && translator.constant(node, i) == nullptr) return false;
  return true;
}

void translate(Translator& translator, const Node& node) {
  if (all_constant(translator, node) && fold(translator, node)) return;
  const Translation translation = translation_of(node.type());
  if (translation == nullptr) throw node.error("is only supported on constants, but it reads a computed value");
  translation(translator, node);
}

void add_inputs(Translator& translator, const onnx::GraphProto& graph, const ImportOptions& options) {
  for (const DeclaredInput& input : inputs_of(graph)) {
    const ElementType type = input.type == ElementType::u8 ? ElementType::u8 : ElementType::f32;
    const OpId id = translator.graph().add({.name = input.name,
                                            .inputs = {},
                                            .shape = settled_shape(input, options),
                                            .type = type,
                                            .attributes = Input{}});
    translator.graph().inputs.push_back({id, input.name, input.type});
    translator.set(input.name, id);
  }
}

void add_outputs(Translator& translator, const onnx::GraphProto& graph) {
  for (const auto& info : graph.output()) {
    if (!translator.knows(info.name()))
      throw InvalidInput("output '" + info.name() + "' is made by no node, input or initializer");
    int type = info.type().has_tensor_type() ? info.type().tensor_type().elem_type() : 0;
    if (type == 0) type = onnx::TensorProto::FLOAT;
    translator.graph().outputs.push_back(
        {translator.op_of(info.name()), info.name(), port_type(type, "output '" + info.name() + "'")});
  }
  if (graph.output_size() == 0) throw InvalidInput("the graph has no outputs");
}

Graph import_checked(onnx::ModelProto& model, const std::filesystem::path& file, const ImportOptions& options) {
  if (const std::vector<std::string> all = unsupported_in(model); !all.empty()) {
    std::string text =
        std::to_string(all.size()) + (all.size() == 1 ? " operator is" : " operators are") + " not supported:";
    for (const std::string& one : all) text += "\n  " + one;
    throw InvalidInput(text);
  }
  const std::int64_t opset = opset_of(model, file.string());
  Graph graph;
  graph.name = file.stem().string();
  Translator translator(graph);
  const std::vector<const onnx::NodeProto*> nodes = sorted_nodes(model.graph());
  for (auto& tensor : *model.mutable_graph()->mutable_initializer())
    translator.set(tensor.name(), take_tensor(tensor, "weight '" + tensor.name() + "'", file.parent_path()));
  add_inputs(translator, model.graph(), options);
  for (const onnx::NodeProto* node : nodes) translate(translator, Node(*node, opset));
  add_outputs(translator, model.graph());
  return graph;
}

}  // namespace

std::vector<DeclaredInput> declared_inputs(const std::filesystem::path& file) {
  const onnx::ModelProto model = read_model(file);
  try {
    return inputs_of(model.graph());
  } catch (const InvalidInput& error) {
    throw InvalidInput("'" + file.string() + "': " + error.what());
  }
}

std::vector<std::string> unsupported(const std::filesystem::path& file) { return unsupported_in(read_model(file)); }

Graph import_model(const std::filesystem::path& file, const ImportOptions& options) {
  onnx::ModelProto model = read_model(file);
  try {
    return import_checked(model, file, options);
  } catch (const InvalidInput& error) {
    throw InvalidInput("'" + file.string() + "': " + error.what());
  }
}

}  // namespace strake::onnx_import

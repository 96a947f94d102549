// SPDX-License-Identifier: Apache-2.0
#include "onnx/import.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include "onnx/control_flow.hpp"
#include "onnx/graph_inputs.hpp"
#include "onnx/model_file.hpp"
#include "onnx/old_opsets.hpp"
#include "onnx/schema_check.hpp"
#include "onnx/tail.hpp"
#include "onnx/translator.hpp"

namespace strake::onnx_import {

namespace {

bool is_standard(const onnx::NodeProto& node) { return node.domain().empty() || node.domain() == "ai.onnx"; }

std::string name_of(const onnx::NodeProto& node) {
  return "node '" + Node(node, 0).name() + "' (" + (is_standard(node) ? "" : node.domain() + ".") + node.op_type() +
         ")";
}

bool is_known(const std::string& type) {
  return translation_of(type) != nullptr || can_evaluate(type) || is_control_flow(type);
}

std::vector<std::string> unsupported_in(const onnx::ModelProto& model) {
  std::vector<std::string> list;
  for (const auto& node : model.graph().node())
    if (!is_standard(node) || !is_known(node.op_type())) list.push_back(name_of(node));
  return list;
}

void refuse(const std::vector<std::string>& all) {
  if (!all.empty()) throw InvalidInput(unsupported_text(all));
}

constexpr std::size_t most_inlined_bytes = std::size_t{1} << 28;
constexpr std::size_t least_body_bytes = 1024;  // an empty body costs time as well

/// One model on its way from nodes to a graph and a tail.
class Importer {
 public:
  Importer(std::int64_t opset, const ImportOptions& options)
      : options_(options), translator_(model_.graph), tail_(opset), opset_(opset) {}

  Model run(onnx::GraphProto& graph, const std::filesystem::path& file) {
    model_.graph.name = file.stem().string();
    directory_ = file.parent_path();
    for (const DeclaredInput& input : inputs_of(graph)) add_input(input);
    add_body(graph);
    refuse(unsupported_);
    add_outputs(graph);
    model_.tail = tail_.finish();
    model_.bound.insert(model_.bound.end(), translator_.bound().begin(), translator_.bound().end());
    return std::move(model_);
  }

 private:
  // The weights and nodes of the graph, or of a graph inside one of its nodes.
  void add_body(onnx::GraphProto& graph) {
    const std::vector<const onnx::NodeProto*> nodes = sorted_nodes(graph);
    std::set<std::string> weights;
    for (auto& tensor : *graph.mutable_initializer()) {
      if (!weights.insert(tensor.name()).second) throw InvalidInput("weight '" + tensor.name() + "' is given twice");
      translator_.set(tensor.name(), HostValue(take_tensor(tensor, "weight '" + tensor.name() + "'", directory_)));
    }
    for (const onnx::NodeProto* node : nodes) add_node(Node(*node, opset_));
  }

  void add_input(const DeclaredInput& input) {
    const Shape shape = settled_shape(input, options_);
    if (volume(shape) == 0) {  // all that there is to know of it
      model_.bound.push_back(input.name);
      return translator_.set(input.name, HostValue(HostTensor::allocate(input.type, shape)));
    }
    const OpId id = model_.graph.add(
        {.name = input.name, .inputs = {}, .shape = shape, .type = graph_type(input.type), .attributes = Input{}});
    model_.graph.inputs.push_back({id, input.name, input.type});
    translator_.set(input.name, id);
    if (const auto value = options_.values.find(input.name); value != options_.values.end()) {
      const bool floats = is_float(input.type) && is_float(value->second.type);
      if (value->second.shape != shape || (value->second.type != input.type && !floats))
        throw InvalidInput("input '" + input.name + "' has shape " + to_string(value->second.shape) + " of " +
                           std::string(to_string(value->second.type)) + ", the model expects " + to_string(shape) +
                           " of " + std::string(to_string(input.type)));
      translator_.offer(id, converted(value->second, input.type));
    }
  }

  // Folds the node, or adds it to the graph, or to what follows it.
  void add_node(const Node& node) {
    check_against_schema(node);
    for (const std::string& output : node.proto().output())
      if (!output.empty() && translator_.find(output) != nullptr)
        throw node.error("makes '" + output + "', which is an input or a weight");
    bool all_constant = true;
    bool lost = false;
    std::string behind;  // the first input that is computed behind the graph
    for (int i = 0; i < node.n_inputs(); ++i) {
      if (!node.has_input(i)) continue;
      const Value& input = translator_.value(node, i);
      all_constant = all_constant && std::holds_alternative<HostValue>(input);
      if (const auto* value = std::get_if<TailValue>(&input)) {
        lost = lost || value->lost;
        if (behind.empty()) behind = node.proto().input(i);
      }
    }
    if (lost) return lose(node);
    if (!behind.empty() && !is_control_flow(node.type()))
      return add_to_tail(node, "'" + behind + "' is computed behind the graph");
    if (is_control_flow(node.type())) return add_flow(node);
    if (std::optional<onnx::NodeProto> modern = modernised(translator_, node))
      return add_node(Node(modern_.emplace_back(std::move(*modern)), 7));
    std::string reason = "the graph has no such operator";
    try {
      if (all_constant && fold(translator_, node, budget_)) return;
    } catch (const NotInGraph& why) {
      reason = why.why();
    }
    const Translation translation = translation_of(node.type());
    if (translation == nullptr) return add_to_tail(node, reason);
    try {
      translation(translator_, node);
    } catch (const NotInGraph& why) {
      add_to_tail(node, why.why());
    }
  }

  // Bodies inside bodies multiply: a small file could ask for more nodes than there is memory for.
  void add_flow(const Node& node) {
    try {
      add_control_flow(translator_, node, [&](onnx::GraphProto& body) {
        inlined_bytes_ += least_body_bytes + body.ByteSizeLong();
        if (inlined_bytes_ > most_inlined_bytes) throw node.error("repeats its body too often");
        add_body(body);
      });
    } catch (const NotInGraph& why) {
      unsupported_.push_back(name_of(node.proto()) + ": " + why.why());
      lose(node);
    }
  }

  void add_to_tail(const Node& node, const std::string& reason) {
    if (!is_standard(node.proto()) || !can_evaluate(node.type())) {
      unsupported_.push_back(name_of(node.proto()) + ": " + reason);
      return lose(node);
    }
    for (const std::string& output : node.proto().output())
      if (!output.empty()) translator_.set(output, TailValue{});
    tail_.add(node.proto(), reason);
  }

  void lose(const Node& node) {
    for (const std::string& output : node.proto().output())
      if (!output.empty()) translator_.set(output, TailValue{.lost = true});
  }

  void add_outputs(const onnx::GraphProto& graph) {
    if (graph.output_size() == 0) throw InvalidInput("the graph has no outputs");
    for (const auto& info : graph.output()) {
      const Value* value = translator_.find(info.name());
      if (value == nullptr) throw InvalidInput("output '" + info.name() + "' is made by no node, input or initializer");
      const int declared = info.type().has_tensor_type() ? info.type().tensor_type().elem_type() : 0;
      const std::optional<ElementType> type = element_type(declared);
      tail_.add_output(info.name(), type);
      const auto* constant = std::get_if<HostValue>(value);
      if (constant != nullptr && constant->size() == 0) tail_.set_constant(info.name(), *constant);
      if (std::holds_alternative<TailValue>(*value) || (constant != nullptr && constant->size() == 0)) continue;
      const OpId id = translator_.op_of(info.name());
      const ElementType inside = model_.graph.op(id).type;
      // Only floats differ inside: 16-bit ones are f32.
      const bool floats = type && is_float(*type) && is_float(inside);
      model_.graph.outputs.push_back({id, info.name(), floats ? *type : inside});
    }
    if (!tail_.empty()) add_tail_inputs();
  }

  // What the tail reads leaves the graph, as outputs that nobody else sees.
  void add_tail_inputs() {
    for (const std::string& name : tail_.reads()) {
      const Value& value = *translator_.find(name);
      if (const auto* constant = std::get_if<HostValue>(&value)) {
        tail_.set_constant(name, *constant);
        continue;
      }
      const OpId id = std::get<OpId>(value);
      const std::vector<Port>& outputs = model_.graph.outputs;
      if (std::none_of(outputs.begin(), outputs.end(), [&](const Port& port) { return port.name == name; }))
        model_.graph.outputs.push_back({id, name, model_.graph.op(id).type});
    }
  }

  const ImportOptions& options_;
  Model model_;
  Translator translator_;
  TailBuilder tail_;
  std::int64_t opset_;
  std::deque<onnx::NodeProto> modern_;  // nodes of old opsets, said anew
  Budget budget_{options_.most_folded};
  std::vector<std::string> unsupported_;
  std::filesystem::path directory_;  // of the file, for external data
  std::size_t inlined_bytes_ = 0;
};

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

std::string unsupported_text(const std::vector<std::string>& unsupported) {
  const std::size_t n = unsupported.size();
  std::string text = std::to_string(n) + (n == 1 ? " operator is" : " operators are") + " not supported: ";
  for (std::size_t i = 0; i < n; ++i) text += (i == 0 ? "" : ", ") + unsupported[i];
  return text;
}

Model import_model(const std::filesystem::path& file, const ImportOptions& options) {
  onnx::ModelProto model = read_model(file);
  try {
    refuse(unsupported_in(model));
    return Importer(opset_of(model, file.string()), options).run(*model.mutable_graph(), file);
  } catch (const InvalidInput& error) {
    throw InvalidInput("'" + file.string() + "': " + error.what());
  }
}

}  // namespace strake::onnx_import

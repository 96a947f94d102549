// SPDX-License-Identifier: Apache-2.0
#include "onnx/control_flow.hpp"

#include <map>
#include <set>

namespace strake::onnx_import {

namespace {

constexpr std::int64_t most_trips = 4096;

using Names = std::map<std::string, std::string>;

std::set<std::string> names_made_in(const onnx::GraphProto& graph) {
  std::set<std::string> names;
  for (const auto& input : graph.input()) names.insert(input.name());
  for (const auto& tensor : graph.initializer()) names.insert(tensor.name());
  for (const auto& node : graph.node()) names.insert(node.output().begin(), node.output().end());
  names.erase("");
  return names;
}

void rename(std::string& name, const Names& names) {
  if (const auto found = names.find(name); found != names.end()) name = found->second;
}

// Graphs inside a node may read values of the graphs around it.
void rename_inside(onnx::NodeProto& node, const Names& names) {
  for (std::string& input : *node.mutable_input()) rename(input, names);
  for (std::string& output : *node.mutable_output()) rename(output, names);
  for (auto& attribute : *node.mutable_attribute()) {
    if (!attribute.has_g()) continue;
    onnx::GraphProto& inner = *attribute.mutable_g();
    Names outer = names;
    for (const std::string& own : names_made_in(inner)) outer.erase(own);
    for (auto& deeper : *inner.mutable_node()) rename_inside(deeper, outer);
    for (auto& output : *inner.mutable_output()) rename(*output.mutable_name(), outer);
  }
}

// A copy of a graph in which all that it makes has `prefix` before its name: bodies are added more than once.
onnx::GraphProto with_prefix(onnx::GraphProto graph, const std::string& prefix) {
  Names names;
  for (const std::string& name : names_made_in(graph)) names[name] = prefix + name;
  for (auto& input : *graph.mutable_input()) rename(*input.mutable_name(), names);
  for (auto& tensor : *graph.mutable_initializer()) rename(*tensor.mutable_name(), names);
  for (auto& node : *graph.mutable_node()) {
    node.set_name(prefix + node.name());
    rename_inside(node, names);
  }
  for (auto& output : *graph.mutable_output()) rename(*output.mutable_name(), names);
  return graph;
}

void add_node(onnx::GraphProto& graph, const std::string& type, const std::vector<std::string>& inputs,
              const std::string& output) {
  onnx::NodeProto& node = *graph.add_node();
  node.set_op_type(type);
  node.set_name(output);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  if (type != "Concat") return;
  onnx::AttributeProto& axis = *node.add_attribute();
  axis.set_name("axis");
  axis.set_type(onnx::AttributeProto::INT);
  axis.set_i(0);
}

const onnx::GraphProto& body_of(const Node& node, const std::string& name) {
  const auto* attribute = node.attribute(name);
  if (attribute == nullptr || !attribute->has_g()) throw node.error("has no " + name);
  return attribute->g();
}

bool known_condition(const Translator& t, const Node& node, int input) {
  const HostValue& condition = t.known(node, input);
  if (condition.size() != 1) throw node.error("its condition has shape " + to_string(condition.shape));
  return condition.at(0) != 0;
}

void add_if(Translator& t, const Node& node, const AddBody& add_body) {
  const bool holds = known_condition(t, node, 0);
  onnx::GraphProto body = with_prefix(body_of(node, holds ? "then_branch" : "else_branch"), node.name() + "/");
  if (body.output_size() != node.proto().output_size()) throw node.error("has other outputs than its branch");
  for (int i = 0; i < body.output_size(); ++i)
    if (!node.proto().output(i).empty()) add_node(body, "Identity", {body.output(i).name()}, node.proto().output(i));
  add_body(body);
}

// ---- Loop ---------------------------------------------------------------------------------------------------------

/// Values by name from one trip to the next.
struct Trips {
  std::vector<std::string> carried;
  std::vector<std::vector<std::string>> scanned;  // [scan output][trip]
};

// One trip; says whether there is another.
bool add_trip(Translator& t, const Node& node, std::int64_t trip, Trips& trips, const AddBody& add_body) {
  onnx::GraphProto body = with_prefix(body_of(node, "body"), node.name() + "/" + std::to_string(trip) + "/");
  const std::size_t n = trips.carried.size();
  if (body.input_size() != static_cast<int>(n) + 2 ||
      body.output_size() != static_cast<int>(n + trips.scanned.size()) + 1)
    throw node.error("its body has " + std::to_string(body.input_size()) + " inputs and " +
                     std::to_string(body.output_size()) + " outputs");
  t.set(body.input(0).name(), HostValue::of_integers({}, {trip}));
  t.set(body.input(1).name(), HostValue(HostTensor::of<bool>({}, {true})));
  for (std::size_t i = 0; i < n; ++i)
    add_node(body, "Identity", {trips.carried[i]}, body.input(static_cast<int>(i) + 2).name());
  add_body(body);
  for (std::size_t i = 0; i < n; ++i) trips.carried[i] = body.output(static_cast<int>(i) + 1).name();
  for (std::size_t i = 0; i < trips.scanned.size(); ++i)
    trips.scanned[i].push_back(body.output(static_cast<int>(n + i) + 1).name());
  const Value* goes_on = t.find(body.output(0).name());
  const auto* known = goes_on == nullptr ? nullptr : std::get_if<HostValue>(goes_on);
  if (known == nullptr || known->size() != 1) throw node.not_in_graph("whether it goes on is computed");
  return known->at(0) != 0;
}

// Scan outputs are stacked along a new first axis.
void add_stack(Translator& t, const Node& node, const std::vector<std::string>& parts, const std::string& output,
               onnx::GraphProto& graph) {
  if (parts.empty()) throw node.not_in_graph("makes nothing, since it makes no trip");
  std::vector<std::string> layers;
  const std::string axes = output + "/axes";
  t.set(axes, HostValue::of_integers({1}, {0}));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    layers.push_back(output + "/" + std::to_string(i));
    add_node(graph, "Unsqueeze", {parts[i]}, layers.back());
    onnx::NodeProto& layer = *graph.mutable_node(graph.node_size() - 1);
    if (node.opset() >= 13) {
      layer.add_input(axes);
      continue;
    }
    onnx::AttributeProto& attribute = *layer.add_attribute();
    attribute.set_name("axes");
    attribute.set_type(onnx::AttributeProto::INTS);
    attribute.add_ints(0);
  }
  add_node(graph, "Concat", layers, output);
}

void add_loop(Translator& t, const Node& node, const AddBody& add_body) {
  std::int64_t n_trips = most_trips + 1;
  if (node.has_input(0)) {
    const std::vector<std::int64_t> given = t.known_integers(node, 0);
    if (given.size() != 1) throw node.error("its number of trips is no scalar");
    n_trips = given.front();
  }
  bool goes_on = !node.has_input(1) || known_condition(t, node, 1);
  Trips trips;
  for (int i = 2; i < node.n_inputs(); ++i) trips.carried.push_back(node.proto().input(i));
  const int n_outputs = node.proto().output_size();
  if (n_outputs < static_cast<int>(trips.carried.size())) throw node.error("has fewer outputs than it carries values");
  trips.scanned.resize(static_cast<std::size_t>(n_outputs) - trips.carried.size());
  for (std::int64_t trip = 0; trip < n_trips && goes_on; ++trip) {
    if (trip == most_trips) throw node.not_in_graph("makes more than " + std::to_string(most_trips) + " trips");
    goes_on = add_trip(t, node, trip, trips, add_body);
  }
  onnx::GraphProto results;
  for (int i = 0; i < n_outputs; ++i) {
    const std::string& output = node.proto().output(i);
    const auto place = static_cast<std::size_t>(i);
    if (output.empty()) continue;
    if (place < trips.carried.size())
      add_node(results, "Identity", {trips.carried[place]}, output);
    else
      add_stack(t, node, trips.scanned[place - trips.carried.size()], output, results);
  }
  add_body(results);
}

}  // namespace

bool is_control_flow(const std::string& type) { return type == "If" || type == "Loop"; }

void add_control_flow(Translator& translator, const Node& node, const AddBody& add_body) {
  if (node.type() == "If")
    add_if(translator, node, add_body);
  else
    add_loop(translator, node, add_body);
}

}  // namespace strake::onnx_import

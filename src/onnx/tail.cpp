// SPDX-License-Identifier: Apache-2.0
#include "onnx/tail.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <set>

#include "onnx/evaluate/evaluate.hpp"
#include "onnx/translator.hpp"

namespace strake::onnx_import {

namespace {

HostTensor widened(const HostTensor& value) { return converted(value, graph_type(value.type)); }

}  // namespace

void TailBuilder::add(const onnx::NodeProto& node, std::string reason) {
  notes_.push_back({.name = Node(node, opset_).name(), .type = node.op_type(), .reason = std::move(reason)});
  nodes_.push_back(node);
}

void TailBuilder::set_constant(const std::string& name, const HostTensor& value) {
  constants_.insert_or_assign(name, widened(value));
}

void TailBuilder::add_output(const std::string& name, std::optional<ElementType> type) {
  outputs_.push_back({name, type});
}

std::vector<std::string> TailBuilder::reads() const {
  std::set<std::string> made;
  std::set<std::string> read;
  for (const auto& [name, value] : constants_) made.insert(name);
  for (const onnx::NodeProto& node : nodes_) {
    read.insert(node.input().begin(), node.input().end());
    made.insert(node.output().begin(), node.output().end());
  }
  for (const Output& output : outputs_) read.insert(output.name);
  read.erase("");
  std::vector<std::string> names;
  std::set_difference(read.begin(), read.end(), made.begin(), made.end(), std::back_inserter(names));
  return names;
}

namespace {

/// Values by name while the tail runs; the last reader frees them.
class Values {
 public:
  Values(TensorMap values, const std::map<std::string, int>& readers) : values_(std::move(values)), left_(readers) {}

  void set(const std::string& name, HostTensor value) {
    if (left_.contains(name)) values_.insert_or_assign(name, std::move(value));
  }
  [[nodiscard]] const HostTensor& at(const std::string& name) const {
    const auto found = values_.find(name);
    ensure(found != values_.end(), "nodes of the tail run behind those that they read");
    return found->second;
  }
  void was_read(const std::string& name) {
    if (--left_.at(name) == 0) values_.erase(name);
  }

 private:
  TensorMap values_;
  std::map<std::string, int> left_;
};

}  // namespace

Tail TailBuilder::finish() {
  Tail tail{.run = {}, .nodes = notes_};
  if (empty()) return tail;
  std::map<std::string, int> readers;
  for (const onnx::NodeProto& node : nodes_)
    for (const std::string& input : node.input()) ++readers[input];
  for (const Output& output : outputs_) ++readers[output.name];
  // Shared, since a std::function is copied with all that it holds.
  const auto self = std::make_shared<const TailBuilder>(std::move(*this));
  tail.run = [self, readers](const TensorMap& graph_outputs) {
    TensorMap given = self->constants_;
    for (const auto& [name, value] : graph_outputs) given.insert_or_assign(name, widened(value));
    Values values(std::move(given), readers);
    for (const onnx::NodeProto& proto : self->nodes_) {
      const Node node(proto, self->opset_);
      std::vector<const HostTensor*> inputs;
      for (int i = 0; i < node.n_inputs(); ++i)
        inputs.push_back(node.has_input(i) ? &values.at(proto.input(i)) : nullptr);
      Budget budget(std::numeric_limits<double>::infinity());
      const std::vector<HostTensor> outputs = evaluate(node, inputs, budget);
      for (int i = 0; i < node.n_inputs(); ++i)
        if (node.has_input(i)) values.was_read(proto.input(i));
      for (int i = 0; i < proto.output_size(); ++i) {
        if (proto.output(i).empty()) continue;
        if (static_cast<std::size_t>(i) >= outputs.size()) throw node.error("has no output " + std::to_string(i));
        values.set(proto.output(i), widened(outputs[static_cast<std::size_t>(i)]));
      }
    }
    TensorMap results;
    for (const Output& output : self->outputs_) {
      const HostTensor& value = values.at(output.name);
      const bool floats = output.type && is_float(*output.type) && is_float(value.type);
      results.insert_or_assign(output.name, floats ? converted(value, *output.type) : value);
    }
    return results;
  };
  return tail;
}

}  // namespace strake::onnx_import

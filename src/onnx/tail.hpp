// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Nodes that run behind the graph, collected while a model is imported.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model.hpp"
#include "onnx/node.hpp"

namespace strake::onnx_import {

/// Values that are f16 or bf16 in the model are f32 here, as inside the graph.
class TailBuilder {
 public:
  explicit TailBuilder(std::int64_t opset) : opset_(opset) {}

  /// Appends a node whose operator `evaluate` knows. Nodes come in the order in which they run.
  void add(const onnx::NodeProto& node, std::string reason);
  /// A value that the nodes read and no graph makes.
  void set_constant(const std::string& name, const HostTensor& value);
  /// An output of the model; floats become `type`, if given.
  void add_output(const std::string& name, std::optional<ElementType> type);

  [[nodiscard]] bool empty() const { return nodes_.empty() && constants_.empty(); }
  /// The values that nodes and outputs read and neither a node nor a constant makes, each once.
  [[nodiscard]] std::vector<std::string> reads() const;
  /// Takes everything over.
  [[nodiscard]] Tail finish();

 private:
  struct Output {
    std::string name;
    std::optional<ElementType> type;
  };

  std::int64_t opset_;
  std::vector<onnx::NodeProto> nodes_;
  std::vector<TailNode> notes_;
  TensorMap constants_;
  std::vector<Output> outputs_;
};

}  // namespace strake::onnx_import

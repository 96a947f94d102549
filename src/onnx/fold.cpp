// SPDX-License-Identifier: Apache-2.0
// Nodes whose inputs are all known: the shape arithmetic that exporters leave behind.

#include "onnx/translator.hpp"

namespace strake::onnx_import {

bool fold(Translator& translator, const Node& node, Budget& budget) {
  if (!can_evaluate(node.type())) return false;
  std::vector<const HostTensor*> inputs;
  for (int i = 0; i < node.n_inputs(); ++i)
    inputs.push_back(node.has_input(i) ? translator.constant(node, i) : nullptr);
  std::vector<HostTensor> outputs = evaluate(node, inputs, budget);
  for (int i = 0; i < node.proto().output_size(); ++i) {
    if (node.proto().output(i).empty()) continue;
    if (static_cast<std::size_t>(i) >= outputs.size())
      throw node.not_in_graph("has no output " + std::to_string(i) + " that can be computed");
    translator.output(node, HostValue(std::move(outputs[static_cast<std::size_t>(i)])), i);
  }
  return true;
}

}  // namespace strake::onnx_import

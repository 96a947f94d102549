// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A model as it was imported: a graph that the ranks share out, and what follows it on rank 0.

#include <functional>
#include <string>
#include <vector>

#include "core/graph.hpp"
#include "core/host_tensor.hpp"

namespace strake {

/// A node behind the graph, for those who ask what runs where.
struct TailNode {
  std::string name;
  std::string type;
  std::string reason;  // why it does not stand in the graph
};

/// What follows the graph on rank 0, on whole tensors: sizes known only at run time, and types and ranks for which the
/// graph has no operator. It never enters a plan and never travels.
struct Tail {
  /// The model's outputs from the graph's, by name; both in the types of their ports. Empty where nothing follows, and
  /// then the graph's outputs are the model's. @throws InvalidInput naming the node that cannot go on
  std::function<TensorMap(const TensorMap& graph_outputs)> run;
  std::vector<TailNode> nodes;
};

struct Model {
  Graph graph;  // its outputs: those of the model that it makes, in order, then those that only the tail reads
  Tail tail;
  std::vector<std::string> bound;  // inputs whose values became constants: frames need not bring them

  Model() = default;
  Model(Graph whole) : graph(std::move(whole)) {}  // NOLINT(*-explicit-*): a graph without a tail is a model
};

}  // namespace strake

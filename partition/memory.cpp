// SPDX-License-Identifier: Apache-2.0
#include "partition/memory.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/slab_layout.hpp"

namespace strake::partition {

namespace {

double bytes_of(const Weight& weight) {
  return static_cast<double>(volume(weight.shape)) * static_cast<double>(size_of(weight.type));
}

// Part of its weights that a rank needs for these boxes of an operator. Fully connected layers take all of them.
double weight_share(const Graph& graph, OpId id, const BoxList& boxes) {
  const Shape& shape = graph.shape(id);
  if (as<Conv>(graph.op(id)) == nullptr || shape[2] * shape[3] == 1) return 1;
  BoxList channels;
  for (const Box& box : boxes) channels.push_back({{box[1]}});
  return static_cast<double>(covered_volume(channels)) / static_cast<double>(shape[1]);
}

}  // namespace

std::vector<double> process_bytes(const Graph& graph, const Profile& profile, const Plan& plan) {
  std::vector<double> bytes;
  for (int rank = 0; rank < plan.n_ranks; ++rank) {
    double& mine = bytes.emplace_back(profile.ranks[at(rank)].baseline_bytes);
    const ArenaLayout arena = lay_out(lay_out_slabs(graph, plan, rank, Messages::sent).buffers);
    mine += static_cast<double>(arena.n_bytes);
    std::map<WeightId, double> shares;  // an operator that shares a weight with others holds it once
    for (OpId id = 0; id < graph.size(); ++id) {
      if (plan.boxes(id, rank).empty()) continue;
      for (const WeightId weight : weights_of(graph.op(id)))
        shares[weight] = std::max(shares[weight], weight_share(graph, id, plan.boxes(id, rank)));
    }
    for (const auto& [weight, share] : shares) mine += share * bytes_of(graph.weight(weight));
  }
  return bytes;
}

double most_process_bytes(const Graph& graph, const Profile& profile, const Plan& plan) {
  const std::vector<double> bytes = process_bytes(graph, profile, plan);
  return *std::max_element(bytes.begin(), bytes.end());
}

std::string needs_more_memory(const Graph& graph, double least, double allowed) {
  const auto text = [](double n) { return std::to_string(std::llround(n / (1024 * 1024))) + " MB"; };
  return "model '" + graph.name + "': under every plan that was tried some rank needs " + text(std::ceil(least)) +
         " or more, allowed are " + text(allowed) + " (--max-memory)";
}

}  // namespace strake::partition

// SPDX-License-Identifier: Apache-2.0
#include "kernels/weight_store.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace strake::kernels {

WeightStore::WeightStore(Graph& graph, WeightStorage storage) : storage_(storage), uses_(count_uses(graph)) {
  for (Weight& weight : graph.weights) {
    shapes_.push_back(weight.shape);
    types_.push_back(weight.type);
    originals_.push_back(std::move(weight.values));
    weight.values.reset();
  }
}

WeightStore WeightStore::synthetic(const Graph& graph, WeightStorage storage) {
  WeightStore store;
  store.storage_ = storage;
  store.synthetic_ = true;
  store.uses_ = count_uses(graph);
  for (const Weight& weight : graph.weights) {
    store.shapes_.push_back(weight.shape);
    store.types_.push_back(weight.type);
  }
  store.originals_.resize(graph.weights.size());
  return store;
}

WeightStore WeightStore::beside(const WeightStore& running, const Graph& graph, std::vector<Blob> originals) {
  WeightStore store;
  store.storage_ = running.storage_;
  store.synthetic_ = running.synthetic_;
  store.uses_ = count_uses(graph);
  for (const Weight& weight : graph.weights) {
    store.shapes_.push_back(weight.shape);
    store.types_.push_back(weight.type);
  }
  store.originals_ = std::move(originals);
  store.originals_.resize(graph.weights.size());
  for (const auto& [key, form] : running.prepared_)
    if (!form.expired()) store.prepared_.insert({key, form});
  return store;
}

std::vector<int> WeightStore::count_uses(const Graph& graph) {
  std::vector<int> uses(graph.weights.size(), 0);
  for (const Op& op : graph.ops)
    for (const WeightId id : weights_of(op)) ++uses[static_cast<std::size_t>(id)];
  return uses;
}

Blob WeightStore::original(WeightId id) {
  Blob& blob = originals_.at(static_cast<std::size_t>(id));
  if (blob.empty() && synthetic_) {
    const Index n = volume(shapes_[static_cast<std::size_t>(id)]);
    const ElementType type = types_[static_cast<std::size_t>(id)];
    blob = Blob::allocate(static_cast<std::size_t>(n) * size_of(type));
    if (type != ElementType::f32) {
      std::memset(blob.data(), 0, blob.size_bytes());
      return blob;
    }
    // Some thousand numbers, again and again: weights are made for every strip that is measured.
    constexpr std::size_t most_different = 16 * 1024;
    const std::span<float> values = blob.floats();
    std::uint32_t state = 1;
    for (float& value : values.first(std::min(values.size(), most_different))) {
      state = state * 1664525U + 1013904223U;
      value = (static_cast<float>(state >> 8) / 16777216.0F - 0.5F) * 0.05F;
    }
    for (std::size_t done = most_different; done < values.size(); done += most_different)
      std::ranges::copy(values.first(std::min(most_different, values.size() - done)),
                        values.begin() + static_cast<std::ptrdiff_t>(done));
  }
  ensure(!blob.empty(), "a weight that a kernel asks for was sent and is not released yet");
  return blob;
}

Blob WeightStore::take(WeightId id) {
  Blob blob = original(id);
  if (uses_[static_cast<std::size_t>(id)] > 1) return Blob::copy_of(blob.floats());
  originals_[static_cast<std::size_t>(id)].reset();
  return blob.unique() ? blob : Blob::copy_of(blob.floats());
}

std::shared_ptr<Blob> WeightStore::prepared(WeightId id, const std::string& form) const {
  const auto found = prepared_.find({id, form});
  return found == prepared_.end() ? nullptr : found->second.lock();
}

void WeightStore::keep(WeightId id, const std::string& form, const std::shared_ptr<Blob>& values) {
  prepared_[{id, form}] = values;
  if (originals_.at(static_cast<std::size_t>(id)).empty()) taken_over_[id] = values;
}

void WeightStore::release(const Op& op) {
  for (const WeightId id : weights_of(op)) {
    if (--uses_[static_cast<std::size_t>(id)] > 0) continue;
    originals_[static_cast<std::size_t>(id)].reset();
    taken_over_.erase(id);
  }
}

std::size_t WeightStore::size_bytes() const {
  std::size_t n_bytes = 0;
  for (const Blob& blob : originals_) n_bytes += blob.size_bytes();
  for (const auto& [key, weak] : prepared_)
    if (const std::shared_ptr<Blob> values = weak.lock()) n_bytes += values->size_bytes();
  return n_bytes;
}

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Weights on one rank: the originals until kernels have taken them over, then only the kernels' own form.

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/graph.hpp"
#include "kernels/large_pages.hpp"

namespace strake::kernels {

/// How kernels that only stream their weights (fully connected layers) hold them.
enum class WeightStorage : unsigned char {
  f32,
  bf16,  // rounded to the upper half of a float: half the memory and less time, at 8 bits of mantissa
};

/// Shared by all kernels of a rank, so that two kernels that want a weight in one form share it.
class WeightStore {
 public:
  /// Takes the weights' values over from the graph, whose entries are left without values.
  explicit WeightStore(Graph& graph, WeightStorage storage = WeightStorage::f32);

  /// Weights of the right shapes with arbitrary small values, made when a kernel asks for them: for profiling on ranks
  /// that were not sent the real ones.
  static WeightStore synthetic(const Graph& graph, WeightStorage storage = WeightStorage::f32);

  /// For kernels of another program of the same graph, beside those that run: forms that are in use are used again, and
  /// what has none yet is made from `originals`, which their owner keeps.
  /// @param originals  [weight]; without values where this rank has none
  static WeightStore beside(const WeightStore& running, const Graph& graph, std::vector<Blob> originals);

  [[nodiscard]] WeightStorage storage() const { return storage_; }

  /// True where values say nothing, so that nobody needs to compute forms of them with care.
  [[nodiscard]] bool is_synthetic() const { return synthetic_; }

  /// The values as the model has them. @throws Bug if they were never sent or are released already
  [[nodiscard]] Blob original(WeightId id);

  /// The values for a kernel to change in place: taken out of the store, or a copy where another operator uses them
  /// too. The form that they get must be kept under a name, since nobody else can make it any more.
  [[nodiscard]] Blob take(WeightId id);

  /// A kernel's own form of a weight, under a key that names the form; empty if nobody has made it yet or all kernels
  /// that used it are gone. A form that took the place of the original lives until `release` at least.
  [[nodiscard]] std::shared_ptr<Blob> prepared(WeightId id, const std::string& form) const;
  void keep(WeightId id, const std::string& form, const std::shared_ptr<Blob>& values);

  /// Uninitialised memory for a prepared form.
  [[nodiscard]] Blob allocate(std::size_t n_bytes) { return pages_.allocate(n_bytes); }

  /// The pages of long prepared forms. Nobody writes to them once all kernels are prepared.
  [[nodiscard]] const std::vector<std::span<std::byte>>& whole_pages() const { return pages_.whole_pages(); }

  /// Called when all kernels of an operator are prepared: frees the originals (kernels that use them as they are still
  /// share them).
  void release(const Op& op);

  /// Bytes of originals and prepared forms that are alive.
  [[nodiscard]] std::size_t size_bytes() const;

 private:
  WeightStore() = default;

  static std::vector<int> count_uses(const Graph& graph);

  WeightStorage storage_ = WeightStorage::f32;
  bool synthetic_ = false;
  LargePages pages_;
  std::vector<int> uses_;  // [weight]: operators that still have to be prepared
  std::vector<Shape> shapes_;
  std::vector<ElementType> types_;
  std::vector<Blob> originals_;
  std::map<std::pair<WeightId, std::string>, std::weak_ptr<Blob>> prepared_;
  std::map<WeightId, std::shared_ptr<Blob>> taken_over_;  // forms that took the place of the original
};

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A plan: which boxes each rank produces of each operator's output. Everything else follows from it.

#include <set>
#include <string>
#include <vector>

#include "core/graph.hpp"
#include "core/interval_map.hpp"
#include "core/transfer_type.hpp"

namespace strake {

/// Whether a rank computes what needs no halo while the halo is under way, at the price of smaller kernels.
enum class Overlap : unsigned char { none, interior_first };

/// One table, computed once on rank 0 and broadcast. Immutable afterwards. Plans of several frames are for `unroll`
/// (core/unroll.hpp), `check` and files; what else takes a plan takes one of one frame, unless it says so.
struct Plan {
  std::string model;     // fingerprint of the graph that it was made for
  std::string strategy;  // "oodp", "equal", ...
  int n_ranks = 1;
  int epoch = 0;
  SplitAxis axis = SplitAxis::rows;
  int frames = 1;                                  // of a cycle: as many are in flight together
  TransferType transfer_type = TransferType::f32;  // between ranks of different hosts
  std::vector<std::vector<BoxList>> produces;      // [op][rank]: boxes that do not overlap within a rank
  std::vector<Overlap> overlap;                    // [op]; of a cycle both have the operators of frame after frame
  double predicted_us = 0;                         // of one frame, or cycle of them; 0 where nobody measured
  std::vector<std::string> notes;                  // why ranks were left out, what was compared

  [[nodiscard]] const BoxList& boxes(OpId op, int rank) const {
    return produces[static_cast<std::size_t>(op)][static_cast<std::size_t>(rank)];
  }
  [[nodiscard]] BoxList& boxes(OpId op, int rank) {
    return produces[static_cast<std::size_t>(op)][static_cast<std::size_t>(rank)];
  }
};

/// A plan of the right size in which nobody produces anything, except that rank 0 has the inputs.
[[nodiscard]] Plan empty_plan(const Graph& graph, int n_ranks);

/// Everything on one rank.
[[nodiscard]] Plan single_rank_plan(const Graph& graph, int n_ranks, int rank);

/// Sets the row of each Constant to what its consumers read, so that every rank holds its own copy.
void place_constants(const Graph& graph, Plan& plan);

/// What each rank needs of operator `id`'s output: [rank]. Rank 0 needs every graph output whole.
[[nodiscard]] std::vector<BoxList> needs(const Graph& graph, const Plan& plan, OpId id);

/// The box that each rank keeps in memory of operator `id`: the hull of what it produces and needs. [rank]
[[nodiscard]] std::vector<Box> holds(const Graph& graph, const Plan& plan, OpId id);

/// Checks a plan against the graph and the number of ranks: sizes, boxes inside tensors, every needed cell produced
/// by some rank, inputs on rank 0, and no operator cut where its kernel cannot be.
/// @throws InvalidInput that says which operator and rank
void check(const Graph& graph, const Plan& plan, int n_ranks);

/// Cells that travel from one rank to another.
struct Transfer {
  int src = 0;
  int dst = 0;
  Box box;
  friend bool operator==(const Transfer&, const Transfer&) = default;
};

/// `(need(dst) - have(dst)) ∩ have(src)` for all ranks. Every missing cell arrives from exactly one rank: the nearest
/// that has it by rank number, the lower of two; every rank computes the same list in the same order.
/// Sorted by source, then destination.
/// @throws Bug if nobody has a cell that somebody needs; `check` finds that first
[[nodiscard]] std::vector<Transfer> transfers(const std::vector<BoxList>& have, const std::vector<BoxList>& need);

/// The transfers of operator `id`'s output under `plan`.
[[nodiscard]] std::vector<Transfer> transfers(const Graph& graph, const Plan& plan, OpId id);

/// As what the output of `op` travels between hosts where `wanted` is asked for: only f32 is rounded, and sums and
/// means over a map are not, for they are small and their error would reach every cell.
[[nodiscard]] TransferType travels_as(const Op& op, TransferType wanted);

/// Ranks that produce anything but inputs and constants, ascending; of a plan of any number of frames.
[[nodiscard]] std::vector<int> working_ranks(const Graph& graph, const Plan& plan);

/// Weights that `rank` computes with under `plan`.
[[nodiscard]] std::set<WeightId> weights_needed(const Graph& graph, const Plan& plan, int rank);

/// Multiply-adds that each rank does, recomputed ones included. [rank]
[[nodiscard]] std::vector<double> multiply_adds(const Graph& graph, const Plan& plan);

}  // namespace strake

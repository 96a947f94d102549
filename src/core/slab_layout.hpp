// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which slabs one rank keeps under a plan, how long each is alive, and which share memory.

#include <vector>

#include "core/arena.hpp"
#include "core/concat_layout.hpp"
#include "core/plan.hpp"

namespace strake {

/// The piece of one operator's output that a rank keeps: what it produces and what it needs of others, one dense box.
struct Slab {
  Box box;          // empty where the rank has nothing to do with the operator
  int buffer = -1;  // index into SlabLayout::buffers; -1 for constants and empty boxes
  Inside inside;    // where the slab is a part of another one, in the same buffer
};

/// When the operators' messages must be over, in steps of the program (one step per operator, one more for the end).
struct MessageSpan {
  int finish_receives = -1;     // before the kernels of this step; -1 without receives
  int finish_sends = -1;        // -1 without sends
  bool before_compute = false;  // sends end before the kernels of that step, since they overwrite the slab; else after
};

struct SlabLayout {
  std::vector<Slab> slabs;                      // [op]
  std::vector<MessageSpan> spans;               // [op]
  std::vector<std::vector<Transfer>> sends;     // [op], of this rank
  std::vector<std::vector<Transfer>> receives;  // [op], of this rank
  std::vector<BufferRequest> buffers;
};

enum class Messages : unsigned char { sent, left_out };

/// Everything that follows from a plan for one rank before memory is touched. With `Messages::left_out` the rank acts
/// as if all halos were there already, as for measuring a strip alone.
[[nodiscard]] SlabLayout lay_out_slabs(const Graph& graph, const Plan& plan, int rank, Messages messages);

}  // namespace strake

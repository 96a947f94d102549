// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One operator for one box of its output: prepared once, run often.

#include <memory>
#include <string>
#include <vector>

#include "core/graph.hpp"
#include "core/view.hpp"
#include "kernels/weight_store.hpp"
#include "kernels/workspace.hpp"

namespace strake::kernels {

/// A prepared operator, bound to the memory of its views. Only executes; allocates nothing.
class Kernel {
 public:
  Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  virtual ~Kernel() = default;

  /// Reads the source views and writes the destination view that it was prepared with.
  virtual void run() = 0;

  /// Which code runs, as "brgconv:avx512_core" or "own".
  [[nodiscard]] virtual std::string implementation() const = 0;
};

/// Whether bits may depend on how an operator is cut.
enum class Exactness : unsigned char {
  fastest,  // the fastest kernel for this slab; agrees with any other cut to float rounding
  exact,  // one kernel per operator, chosen by the whole operator's shape: the same bits for every cut and thread count
};

/// What to prepare.
struct Request {
  const Graph& graph;
  OpId op = 0;
  std::vector<View> src;  // one per input; each holds exactly what `input_boxes` says, in canonical order of axes,
                          // dense or a window into something wider (then the kernel copies through the workspace)
  View dst;               // holds exactly the box to produce; a residual input may share its memory
  Exactness exactness = Exactness::fastest;
};

/// Chooses, creates and binds the kernel for one box.
///
/// Not for Input and Constant, which nobody computes. A residual (`AddInput`) whose view starts at the same address as
/// `dst` is added in place; any other is copied to `dst` first. The memory of all views must outlive the kernel. Uses
/// as many OpenMP threads as the calling thread may.
/// @throws InvalidInput where an operator cannot be computed (naming it)
/// @throws Bug where only a reference implementation of the library would run although a fast one exists
[[nodiscard]] std::unique_ptr<Kernel> prepare(const Request& request, WeightStore& weights, Workspace& workspace);

}  // namespace strake::kernels

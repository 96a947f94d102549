// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One operator for one box of its output: prepared once, run often.

#include <memory>
#include <string>
#include <string_view>
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

/// Ways to compute a convolution, among which measurements in place choose. An operator that has no kernel of a family
/// for the box at hand is computed directly.
enum class Family : unsigned char {
  direct,     // the library's first fast implementation
  winograd2,  // 3x3 of stride 1, tiles of 2x2 outputs
  winograd4,  // tiles of 4x4: fewer multiplications, larger weights
  conv1x1,    // 1x1, as a product of matrices
  depthwise,  // one channel each, several pixels at once
};
inline constexpr Family all_families[] = {Family::direct, Family::winograd2, Family::winograd4, Family::conv1x1,
                                          Family::depthwise};

/// The families beside direct that may have kernels for an operator.
[[nodiscard]] std::vector<Family> alternatives(const Op& op);

/// Bytes of a family's weights for each byte of the model's, about.
[[nodiscard]] double weight_factor(Family family);

/// "direct", "winograd2", ...
[[nodiscard]] std::string_view family_name(Family family);

/// What to prepare.
struct Request {
  const Graph& graph;
  OpId op = 0;
  std::vector<View> src;  // one per input; each holds exactly what `input_boxes` says, in canonical order of axes,
                          // dense or a window into something wider (then the kernel copies through the workspace)
  View dst;               // holds exactly the box to produce; a residual input may share its memory
  Exactness exactness = Exactness::fastest;
  Family family = Family::direct;  // `exact` is always direct
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

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How fast a rank is that has no work in the running plan.

#include "engine/whole_model.hpp"

namespace strake::engine {

/// A small convolution, the same on every machine, which fits into the caches and whatever time there is.
class SpeedProbe {
 public:
  SpeedProbe();

  /// Microseconds that it takes now: the mean over some milliseconds, so that a neighbour's time slices count. Local.
  /// @param slowdown  emulated, by which the answer is multiplied instead of waiting for it
  [[nodiscard]] double measure(double slowdown);

 private:
  Graph graph_;
  WholeModel model_;
};

}  // namespace strake::engine

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What stands behind the statistics of a normalisation.

#include <vector>

#include "core/box.hpp"

namespace strake {

class OpRules;

/// (x - mean) / sqrt(variance + epsilon) [* scale [+ shift]]. Inputs in this order, floats; all broadcast to x.
/// Instance, layer, group and batch normalisation are this behind a Reduce for the mean and one for the mean square
/// around it.
struct Normalize {
  float epsilon = 1e-5F;
  static void fields(auto& self, auto&& visit) { visit(self.epsilon); }
};
[[nodiscard]] Shape shape_of(const OpRules& rules, const Normalize& normalize);
[[nodiscard]] std::vector<Box> reads(const OpRules& rules, const Normalize& normalize, const Box& dst);
[[nodiscard]] bool cuts_along(const OpRules& rules, const Normalize& normalize, std::size_t axis);
[[nodiscard]] int strip_axis(const OpRules& rules, const Normalize& normalize, const std::vector<int>& axes);

}  // namespace strake

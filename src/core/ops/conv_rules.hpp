// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Rules that convolutions of maps share, whatever numbers they compute with.

#include "core/op_rules.hpp"

namespace strake {

/// (n, m, oh, ow) for weights (m, c / groups, kh, kw) over the first input.
/// @throws InvalidInput where they do not fit
[[nodiscard]] Shape conv_shape(const OpRules& rules, const Window2d& window, Index groups, const Shape& weights);

/// What it reads of its first input for a box that is not empty.
[[nodiscard]] Box conv_reads(const OpRules& rules, const Window2d& window, Index groups, const Box& dst);

/// Along channels only without groups or with one channel in each.
[[nodiscard]] bool conv_cuts_along(const OpRules& rules, Index groups, std::size_t axis);

}  // namespace strake

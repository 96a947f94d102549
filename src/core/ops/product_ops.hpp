// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Products of tensors that are both computed, or one of which is constant.

#include <vector>

#include "core/box.hpp"
#include "core/element_type.hpp"

namespace strake {

class OpRules;

/// (..., m, k) times (..., k, n), leading axes broadcast; both inputs have two axes or more. Cut along any axis: rows
/// of the first, columns of the second.
struct MatMul {
  static void fields(auto&, auto&&) {}
};
[[nodiscard]] Shape shape_of(const OpRules& rules, const MatMul& product);
[[nodiscard]] ElementType type_of(const OpRules& rules, const MatMul& product);
[[nodiscard]] std::vector<Box> reads(const OpRules& rules, const MatMul& product, const Box& dst);
[[nodiscard]] int strip_axis(const OpRules& rules, const MatMul& product, const std::vector<int>& axes);

}  // namespace strake

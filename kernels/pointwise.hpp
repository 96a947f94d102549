// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Loops of pointwise operators over elements of every type.

#include <cstddef>

#include "core/op.hpp"

namespace strake::kernels {

/// One piece of a run: where the first cell of each operand lies, and how far the next one is, in elements.
struct PointwisePiece {
  const std::byte* src[3] = {};
  Index src_step[3] = {};
  std::byte* dst = nullptr;
  Index dst_step = 1;
  Index n = 0;
};

/// Computes n cells. The steps never change a cell's bits.
using PointwiseLoop = void (*)(const PointwisePiece&);

/// The loop of a kind for operands of these types, or null where there is none.
[[nodiscard]] PointwiseLoop arithmetic_loop(PointwiseKind kind, ElementType type, ElementType exponent);
[[nodiscard]] PointwiseLoop logic_loop(PointwiseKind kind, ElementType type);
[[nodiscard]] PointwiseLoop cast_loop(ElementType from, ElementType to);
/// Of quantize and dequantize; `zero` is the type of the zero point.
[[nodiscard]] PointwiseLoop quantize_loop(PointwiseKind kind, ElementType zero);

/// Activations of everything but f32. `function` must outlive the call only.
void apply_typed(const Activation& function, ElementType type, const PointwisePiece& piece);

}  // namespace strake::kernels

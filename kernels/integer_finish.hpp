// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What an integer convolution does to its sums before they are stored.

#include <cstddef>
#include <cstdint>

#include "core/op.hpp"

namespace strake::kernels {

/// The sums of some pixels and channels, and what becomes of them. Arrays by channel hold whole lanes of 16 and a lane
/// more.
struct IntegerFinish {
  const std::int32_t* sums;  // [pixel][sum_step]
  Index sum_step;
  const std::int32_t* base;  // added to the sums
  const float* scale;        // null for i32
  const float* shift;
  const QuantizedResidual* residual;  // or null
  ElementType residual_type;
  ElementType to;
  float zero;
  float low;
  float high;
};

/// Stores channels [first, first + n) of `n_pixels` pixels, whose channel 0 lies at dst[pixel], that of the residual at
/// src[pixel].
void finish(const IntegerFinish& how, Index first, Index n, Index n_pixels, std::byte* const* dst,
            const std::byte* const* src);

}  // namespace strake::kernels

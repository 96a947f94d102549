// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Elementwise functions of our own: plain arithmetic that compilers vectorise, with the same bits in body and tail.

#include <vector>

#include "core/op.hpp"

namespace strake::kernels {

/// out[i] = f(in[i]); `in` and `out` may be the same.
void apply(const Activation& function, const float* in, float* out, Index n);

/// All activations of `post_ops` in order, in place. AddInput is not for here.
void apply(const std::vector<PostOp>& post_ops, float* values, Index n);

/// e^x within 2 ulp; 0 below -87.3, largest at 88.7. Source: S. Moshier, Cephes, expf.
[[nodiscard]] float fast_exp(float x);

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Activations that our own fast kernels apply to what they have just computed, while it lies in a first-level cache.
/// Bits depend on the instruction set; for exact answers there is `activation.hpp`.

#include "core/op.hpp"

namespace strake::kernels {

/// True for those that are fast here: bounds, SiLU and the hard ones.
[[nodiscard]] bool has_fast(const Activation& function);

/// values[i] = f(values[i]), for one of `has_fast`; SiLU within 4e-7 of the largest of 1 and the result.
void apply_fast(const Activation& function, float* values, Index n);

/// The same for `channels` values of each of `n_pixels` pixels that lie `step` floats apart.
void apply_fast(const Activation& function, float* pixels, Index n_pixels, Index step, Index channels);

}  // namespace strake::kernels

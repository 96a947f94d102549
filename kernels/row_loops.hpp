// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Loops over the channels of one pixel that several kernels share. Each is compiled once per instruction set.

#include <cstdint>

#include "core/interval.hpp"

namespace strake::kernels {

/// out[i] += in[i] for the n values of a row.
void add_row(const float* in, float* out, Index n);
void add_row(const double* in, double* out, Index n);

/// out[i] = max(out[i], in[i]); a NaN in `in` is not taken.
void take_larger(const float* in, float* out, Index n);
void take_larger(const double* in, double* out, Index n);
void take_larger(const std::uint8_t* in, std::uint8_t* out, Index n);
void take_larger(const std::int8_t* in, std::int8_t* out, Index n);

/// values[i] /= by.
void divide_row(float* values, float by, Index n);

/// out[i] = the largest of in[t][i] over all `n_in` rows, in their order, a NaN left out; the lowest number of none.
void largest_of(const float* const* in, Index n_in, float* out, Index n);

/// out[i] = 0 + in[i] + in[step + i] + ... of all `n_in` rows, in this order.
void sum_rows(const float* in, Index n_in, Index step, float* out, Index n);

/// out[i] = (0 + in[0][i] + in[1][i] + ...) / by, in this order.
void mean_of(const float* const* in, Index n_in, float by, float* out, Index n);

}  // namespace strake::kernels

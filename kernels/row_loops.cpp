// SPDX-License-Identifier: Apache-2.0
#include "kernels/row_loops.hpp"

#include "kernels/multiversion.hpp"

namespace strake::kernels {

STRAKE_MULTIVERSION void add_row(const float* in, float* out, Index n) {
  for (Index i = 0; i < n; ++i) out[i] += in[i];
}

STRAKE_MULTIVERSION void add_row(const double* in, double* out, Index n) {
  for (Index i = 0; i < n; ++i) out[i] += in[i];
}

STRAKE_MULTIVERSION void take_larger(const float* in, float* out, Index n) {
  for (Index i = 0; i < n; ++i) out[i] = in[i] > out[i] ? in[i] : out[i];
}

STRAKE_MULTIVERSION void take_larger(const double* in, double* out, Index n) {
  for (Index i = 0; i < n; ++i) out[i] = in[i] > out[i] ? in[i] : out[i];
}

STRAKE_MULTIVERSION void take_larger(const std::uint8_t* in, std::uint8_t* out, Index n) {
  for (Index i = 0; i < n; ++i) out[i] = in[i] > out[i] ? in[i] : out[i];
}

STRAKE_MULTIVERSION void take_larger(const std::int8_t* in, std::int8_t* out, Index n) {
  for (Index i = 0; i < n; ++i) out[i] = in[i] > out[i] ? in[i] : out[i];
}

STRAKE_MULTIVERSION void divide_row(float* values, float by, Index n) {
  for (Index i = 0; i < n; ++i) values[i] /= by;
}

}  // namespace strake::kernels

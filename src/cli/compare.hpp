// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Differences between two tensors of floats.

#include <cstdint>

#include "core/host_tensor.hpp"

namespace strake::cli {

struct Difference {
  std::int64_t elements = 0;
  std::int64_t differing_bits = 0;  // elements whose bits differ (not the number of bits)
  double largest_absolute = 0;
  double largest_relative = 0;   // |a - b| / |b|, where b is not 0
  std::int64_t largest_ulp = 0;  // floats that lie between a and b
  bool within = true;            // all |a - b| <= relative * |b| + absolute
};

struct Tolerance {
  double absolute = 1e-4;
  double relative = 1e-3;
};

/// Both f32 (or both f16, which are widened) and of one shape. NaNs are equal to NaNs only.
[[nodiscard]] Difference compare(const HostTensor& a, const HostTensor& b, const Tolerance& tolerance);

}  // namespace strake::cli

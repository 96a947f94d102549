// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Differences between two tensors.

#include <cstdint>

#include "core/host_tensor.hpp"

namespace strake::cli {

struct Difference {
  std::int64_t elements = 0;
  std::int64_t differing_bits = 0;  // elements whose bits differ (not the number of bits)
  double largest_absolute = 0;
  double mean_absolute = 0;      // over all elements but those with a NaN
  double largest_relative = 0;   // |a - b| / |b|, where b is not 0
  double of_magnitude = 0;       // largest_absolute over the largest |b|
  std::int64_t largest_ulp = 0;  // floats that lie between a and b; 0 for integers
  std::int64_t nan_on_one_side = 0;
  std::int64_t nan_on_both = 0;  // whatever their bits; no difference, but no answer either
  bool within = true;            // all |a - b| <= relative * |b| + absolute + magnitude * largest |b|
};

struct Tolerance {
  double absolute = 1e-4;
  double relative = 1e-3;
  double magnitude = 0;  // what other algorithms than the direct one need
};

/// Of any type; 16-bit floats are widened. NaNs are within any tolerance of NaNs, and of nothing else. Tensors of
/// unlike shape or type differ in every element: sizes known only at run time need not agree.
[[nodiscard]] Difference compare(const HostTensor& a, const HostTensor& b, const Tolerance& tolerance);

}  // namespace strake::cli

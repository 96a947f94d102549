// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The transforms of Winograd's convolution with 3x3 kernels, one tile at a time, in NHWC.
///
/// A tile of m x m outputs needs (m + 2)^2 inputs and as many multiplications per pair of channels, instead of 9 m^2.
/// Source: A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308; interpolation
/// points 0, 1, -1, infinity for m = 2, and 2, -2 as well for m = 4.

#include "kernels/finish.hpp"

namespace strake::kernels::winograd {

/// Points along one axis of a tile of m outputs.
[[nodiscard]] constexpr Index points(Index m) { return m + 2; }

/// A tile's inputs, seen from the slab that holds some of them.
struct InputTile {
  const float* src = nullptr;  // where the tile's first row and column would lie, perhaps outside the slab
  Index row_step = 0;          // in floats
  Index column_step = 0;
  Interval rows;  // of the tile, inside the slab; the others count as zero
  Interval columns;
  Index channels = 0;
};

/// v[point] (row-major points, `point_step` floats apart) gets `channels` floats each, rounded up to whole lanes.
void transform_input(Index m, const InputTile& tile, float* v, Index point_step);

/// A tile's outputs in the slab.
struct OutputTile {
  float* dst = nullptr;
  Index row_step = 0;
  Index column_step = 0;
  Index rows = 0;  // up to m that are wanted
  Index columns = 0;
  Index channels = 0;
};

/// The inverse of the products `points` (as `v` above, `channels` rounded up to whole lanes can be read), plus bias.
void transform_output(Index m, const float* points, Index point_step, const Finish& finish, const OutputTile& tile);

/// u[point] of one 3x3 kernel, in double: G g G^T.
void transform_weights(Index m, const float* kernel, double* u);

}  // namespace strake::kernels::winograd

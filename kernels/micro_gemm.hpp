// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Products of small matrices in registers, at the speed of the machine's multiply-adds: what our own fast
/// convolutions are made of. Additions are contracted with multiplications, so bits depend on the instruction set.

#include "kernels/finish.hpp"

namespace strake::kernels {

/// Columns of the right-hand side that are multiplied at once: a *panel*. The last panel may be half as wide.
inline constexpr Index panel_columns = 32;

/// Floats of a packed right-hand side of k rows and n columns: panel by panel, each (k, its width), gaps zero.
[[nodiscard]] Index packed_floats(Index k, Index n);

/// Packs columns [first, first + n) of a row-major matrix: `b(row, column)` is `from[row * row_step + column *
/// column_step]`. `to` holds `packed_floats(k, n)` floats.
void pack(const float* from, Index row_step, Index column_step, Index k, Index n, float* to);

/// One panel: c(row, column) = sum over i of a(row, i) * b(i, column).
struct PanelProduct {
  const float* a = nullptr;
  Index a_step = 0;  // floats from row to row
  const float* b = nullptr;
  Index k = 0;
  Index width = panel_columns;  // or half of it
  float* c = nullptr;           // all `width` columns are written
  Index c_step = 0;
  Index rows = 0;
};
void multiply(const PanelProduct& product);

/// The same, finished before it is stored: `finish.bias` is that of the panel, and only the first `columns` are
/// written.
void multiply(const PanelProduct& product, const Finish& finish, Index columns);

/// Width of the panel that begins at `column` of n columns: whole, or half where half is enough for the rest.
[[nodiscard]] inline Index panel_width(Index column, Index n) {
  return n - column <= panel_columns / 2 ? panel_columns / 2 : panel_columns;
}

}  // namespace strake::kernels

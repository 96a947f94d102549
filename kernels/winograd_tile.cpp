// SPDX-License-Identifier: Apache-2.0
#include "kernels/winograd_tile.hpp"

#include <algorithm>
#include <array>

#include "kernels/lane.hpp"
#include "kernels/multiversion.hpp"

namespace strake::kernels::winograd {

namespace {

// ---- along one axis: `step` lanes from value to value -------------------------------------------------------------

template <Index M, class L>
STRAKE_LANE_FUNCTION void input_axis(const L* d, Index step, L* v, Index v_step) {
  if constexpr (M == 2) {
    v[0] = d[0] - d[2 * step];
    v[v_step] = d[step] + d[2 * step];
    v[2 * v_step] = d[2 * step] - d[step];
    v[3 * v_step] = d[step] - d[3 * step];
  } else {
    const L even = d[4 * step] - 4.0F * d[2 * step];
    const L odd = d[3 * step] - 4.0F * d[step];
    const L even2 = d[4 * step] - d[2 * step];
    const L odd2 = 2.0F * (d[3 * step] - d[step]);
    v[0] = 4.0F * d[0] - 5.0F * d[2 * step] + d[4 * step];
    v[v_step] = even + odd;
    v[2 * v_step] = even - odd;
    v[3 * v_step] = even2 + odd2;
    v[4 * v_step] = even2 - odd2;
    v[5 * v_step] = 4.0F * d[step] - 5.0F * d[3 * step] + d[5 * step];
  }
}

template <Index M, class L>
STRAKE_LANE_FUNCTION void output_axis(const L* p, Index step, L* o, Index o_step) {
  const L sum = p[step] + p[2 * step];
  const L difference = p[step] - p[2 * step];
  if constexpr (M == 2) {
    o[0] = p[0] + sum;
    o[o_step] = difference - p[3 * step];
  } else {
    const L sum2 = p[3 * step] + p[4 * step];
    const L difference2 = p[3 * step] - p[4 * step];
    o[0] = p[0] + sum + sum2;
    o[o_step] = difference + 2.0F * difference2;
    o[2 * o_step] = sum + 4.0F * sum2;
    o[3 * o_step] = difference + 8.0F * difference2 + p[5 * step];
  }
}

// ---- one tile -----------------------------------------------------------------------------------------------------

// One lane of channels of which `n` exist, from `src`.
template <Index M, class L>
STRAKE_LANE_FUNCTION void load_tile(const InputTile& tile, const float* src, Index n, L* d) {
  constexpr Index P = points(M);
  for (Index y = 0; y < P; ++y) {
    const bool row_inside = tile.rows.begin <= y && y < tile.rows.end;
    for (Index x = 0; x < P; ++x) {
      const float* from = src + y * tile.row_step + x * tile.column_step;
      if (!row_inside || x < tile.columns.begin || x >= tile.columns.end) {
        d[y * P + x] = L{};
      } else if (n == lane_floats) {
        load(from, d[y * P + x]);
      } else {
        load(from, n, d[y * P + x]);
      }
    }
  }
}

template <Index M, class L>
STRAKE_LANE_FUNCTION void input_of(const InputTile& tile, float* v, Index point_step) {
  constexpr Index P = points(M);
  for (Index c = 0; c < tile.channels; c += lane_floats) {
    L d[P * P];
    L half[P * P];
    load_tile<M>(tile, tile.src + c, std::min(lane_floats, tile.channels - c), d);
    for (Index x = 0; x < P; ++x) input_axis<M>(d + x, P, half + x, P);
    for (Index y = 0; y < P; ++y) {
      L row[P];
      input_axis<M>(half + y * P, 1, row, 1);
      for (Index x = 0; x < P; ++x) store(row[x], v + (y * P + x) * point_step + c);
    }
  }
}

template <class L>
STRAKE_LANE_FUNCTION void transform_input_with(Index m, const InputTile& tile, float* v, Index point_step) {
  m == 2 ? input_of<2, L>(tile, v, point_step) : input_of<4, L>(tile, v, point_step);
}

template <Index M, class L>
STRAKE_LANE_FUNCTION void output_of(const float* points_of_tile, Index point_step, const Finish& finish,
                                    const OutputTile& tile) {
  constexpr Index P = points(M);
  for (Index c = 0; c < tile.channels; c += lane_floats) {
    const Index n = std::min(lane_floats, tile.channels - c);
    L half[M * P];
    for (Index x = 0; x < P; ++x) {
      L column[P];
      for (Index y = 0; y < P; ++y) load(points_of_tile + (y * P + x) * point_step + c, column[y]);
      output_axis<M>(column, 1, half + x, P);
    }
    for (Index y = 0; y < tile.rows; ++y) {
      L row[M];
      output_axis<M>(half + y * P, 1, row, 1);
      for (Index x = 0; x < tile.columns; ++x)
        finish_lane(row[x], finish, finish.bias + c, tile.dst + y * tile.row_step + x * tile.column_step + c, n);
    }
  }
}

template <class L>
STRAKE_LANE_FUNCTION void transform_output_with(Index m, const float* points_of_tile, Index point_step,
                                                const Finish& finish, const OutputTile& tile) {
  m == 2 ? output_of<2, L>(points_of_tile, point_step, finish, tile)
         : output_of<4, L>(points_of_tile, point_step, finish, tile);
}

using Row = std::array<double, 3>;
constexpr std::array<Row, 4> weights_2 = {{{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}}};
constexpr std::array<Row, 6> weights_4 = {{{1.0 / 4, 0, 0},
                                           {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                           {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                           {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                           {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                           {0, 0, 1}}};

}  // namespace

STRAKE_BY_LANE(transform_input, (Index m, const InputTile& tile, float* v, Index point_step), (m, tile, v, point_step))

STRAKE_BY_LANE(transform_output,
               (Index m, const float* points_of_tile, Index point_step, const Finish& finish, const OutputTile& tile),
               (m, points_of_tile, point_step, finish, tile))

void transform_weights(Index m, const float* kernel, double* u) {
  const Row* g = m == 2 ? weights_2.data() : weights_4.data();
  const Index p = points(m);
  for (Index y = 0; y < p; ++y) {
    Row half{};
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j) half[j] += g[y][i] * static_cast<double>(kernel[i * 3 + j]);
    for (Index x = 0; x < p; ++x) u[y * p + x] = half[0] * g[x][0] + half[1] * g[x][1] + half[2] * g[x][2];
  }
}

}  // namespace strake::kernels::winograd

// SPDX-License-Identifier: Apache-2.0
#include "kernels/micro_gemm.hpp"

#include <algorithm>

#include "kernels/multiversion.hpp"

namespace strake::kernels {

namespace {

// Rows and lanes of a block, whose sums stay in registers. The right-hand side needs a lane of them, or less, and the
// left-hand side one, or one for each row.
template <class L>
struct BlockShape;
template <>
struct BlockShape<Lane512> {
  static constexpr int rows = 14;  // 28 of 32 registers
  static constexpr int lanes = 2;
};
template <>
struct BlockShape<Lane256> {
  static constexpr int rows = 6;  // 12 of 16 registers
  static constexpr int lanes = 1;
};
template <>
struct BlockShape<Lane128> {
#if defined(__aarch64__)
  static constexpr int rows = 5;  // 20 of 32 registers
#else
  static constexpr int rows = 3;  // 12 of 16 registers
#endif
  static constexpr int lanes = 1;
};
constexpr int most_rows = BlockShape<Lane512>::rows;
constexpr Index rows_ahead = 96;  // at least, of the right-hand side, which may come from memory

// ---- what sums begin with, and what is done to them before they are stored ----------------------------------------

struct Stored {
  template <class L>
  STRAKE_LANE_FUNCTION void begin(Index, L& sum) const {
    sum = L{};
  }
  template <class L>
  STRAKE_LANE_FUNCTION void end(float* dst, const L& sum) const {
    store(sum, dst);
  }
  [[nodiscard]] STRAKE_LANE_FUNCTION Stored from(Index) const { return {}; }
};

template <class Function>
struct FinishedBy {
  const float* bias;
  bool adds_to_dst;
  Function function;
  template <class L>
  STRAKE_LANE_FUNCTION void begin(Index column, L& sum) const {
    load(bias + column, sum);
  }
  template <class L>
  STRAKE_LANE_FUNCTION void end(float* dst, const L& sum) const {
    L value = sum;
    if (adds_to_dst) {
      L residual;
      load(dst, residual);
      value += residual;
    }
    function(value);
    store(value, dst);
  }
  [[nodiscard]] STRAKE_LANE_FUNCTION FinishedBy from(Index column) const {
    return {bias + column, adds_to_dst, function};
  }
};

template <class Function>
STRAKE_LANE_FUNCTION FinishedBy<Function> finished_by(const Finish& finish, const Function& function) {
  return {finish.bias, finish.adds_to_dst, function};
}

// What is asked for while a block is computed: all blocks of a panel together ask for as much as a panel has, which is
// what comes next where panels lie one behind the other.
struct Coming {
  const float* begin = nullptr;
  Index step = 0;       // floats from one row of the block's panel to the next
  Index lane_step = 0;  // floats from one lane of such a row to the next
};

// ---- blocks -------------------------------------------------------------------------------------------------------

// R rows and N lanes of columns of a panel that is W columns wide: all sums stay in registers while k passes.
template <class L, int R, int N, Index W, class Ending>
STRAKE_LANE_FUNCTION void block(const PanelProduct& p, const Coming& coming, const Ending& ending) {
  const float* a = p.a;
  const float* b = p.b;
  const float* ahead = coming.begin;
  const Index k = p.k;
  const Index step = p.a_step;
  L sums[R][N];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int l = 0; l < N; ++l) ending.begin(l * lane_floats, sums[r][l]);
  for (Index i = 0; i < k; ++i, ++a, b += W) {
    L right[N];
#pragma GCC unroll 2
    for (int l = 0; l < N; ++l) __builtin_prefetch(ahead + l * coming.lane_step);
    ahead += coming.step;
#pragma GCC unroll 2
    for (int l = 0; l < N; ++l) load(b + l * lane_floats, right[l]);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
      for (int l = 0; l < N; ++l) add_product(a[r * step], right[l], sums[r][l]);
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int l = 0; l < N; ++l) ending.end(p.c + r * p.c_step + l * lane_floats, sums[r][l]);
}

template <class L, int R, int N, Index W, class Ending>
STRAKE_LANE_FUNCTION void block_of_rows(const PanelProduct& p, const Coming& coming, const Ending& ending) {
  if (p.rows == R) {
    block<L, R, N, W>(p, coming, ending);
  } else if constexpr (R > 1) {
    block_of_rows<L, R - 1, N, W>(p, coming, ending);
  }
}

// As many rows as fit into registers, or fewer.
template <class L, class Ending>
STRAKE_LANE_FUNCTION void multiply_rows(const PanelProduct& p, const Coming& coming, const Ending& ending) {
  constexpr int rows = BlockShape<L>::rows;
  if (p.width != panel_columns) {
    block_of_rows<L, rows, 1, lane_floats>(p, coming, ending);
  } else if constexpr (BlockShape<L>::lanes == 2) {
    block_of_rows<L, rows, 2, panel_columns>(p, coming, ending);
  } else {
    PanelProduct half = p;
    for (Index column = 0; column < panel_columns; column += lane_floats) {
      half.b = p.b + column;
      half.c = p.c + column;
      block_of_rows<L, rows, 1, panel_columns>(half, coming, ending.from(column));
    }
  }
}

template <class L>
STRAKE_LANE_FUNCTION void multiply_block_with(const PanelProduct& p, const Coming& coming) {
  multiply_rows<L>(p, coming, Stored{});
}
STRAKE_BY_LANE(multiply_block, (const PanelProduct& p, const Coming& coming), (p, coming))

// All columns of a panel.
template <class L>
STRAKE_LANE_FUNCTION void finish_block_with(const PanelProduct& p, const Coming& coming, const Finish& finish) {
  with_ending(finish,
              [&](const auto& ending) STRAKE_LANE_LAMBDA { multiply_rows<L>(p, coming, finished_by(finish, ending)); });
}
STRAKE_BY_LANE(finish_block, (const PanelProduct& p, const Coming& coming, const Finish& finish), (p, coming, finish))

template <class L>
STRAKE_LANE_FUNCTION void finish_rows_with(const PanelProduct& sums, const Finish& finish, Index columns, float* dst,
                                           Index dst_step) {
  for (Index row = 0; row < sums.rows; ++row)
    for (Index column = 0; column < columns; column += lane_floats) {
      L value;
      load(sums.c + row * sums.c_step + column, value);
      finish_lane(value, finish, finish.bias + column, dst + row * dst_step + column,
                  std::min(columns - column, lane_floats));
    }
}
STRAKE_BY_LANE(finish_rows, (const PanelProduct& sums, const Finish& finish, Index columns, float* dst, Index dst_step),
               (sums, finish, columns, dst, dst_step))

Index rows_at_once() {
  if (has_avx512()) return BlockShape<Lane512>::rows;
  return has_avx2() ? BlockShape<Lane256>::rows : BlockShape<Lane128>::rows;
}

}  // namespace

Index packed_floats(Index k, Index n) {
  const Index half = panel_columns / 2;
  return (n + half - 1) / half * half * k;
}

void pack(const float* from, Index row_step, Index column_step, Index k, Index n, float* to) {
  for (Index first = 0; first < n; first += panel_columns) {
    const Index width = panel_width(first, n);
    const Index columns = std::min(width, n - first);
    for (Index row = 0; row < k; ++row, to += width)
      for (Index i = 0; i < width; ++i) to[i] = i < columns ? from[row * row_step + (first + i) * column_step] : 0.0F;
  }
}

// Calls `visit` with the product of one block of rows after another, as few as registers allow and of even sizes, and
// with what comes.
template <class Visit>
void for_each_block(const PanelProduct& product, Visit visit) {
  const Index blocks = (product.rows + rows_at_once() - 1) / rows_at_once();
  for (Index i = 0; i < blocks; ++i) {
    const Index first = product.rows * i / blocks;
    PanelProduct block = product;
    block.a += first * product.a_step;
    block.c += first * product.c_step;
    block.rows = product.rows * (i + 1) / blocks - first;
    const Coming coming{
        .begin = product.b + std::max(product.k, rows_ahead) * product.width + product.k * product.width * i / blocks,
        .step = product.width / blocks,
        .lane_step = lane_floats / blocks};
    visit(block, coming);
  }
}

void multiply(const PanelProduct& product) { for_each_block(product, multiply_block); }

void multiply(const PanelProduct& product, const Finish& finish, Index columns) {
  if (columns == product.width && ends_in_registers(finish)) {
    for_each_block(product,
                   [&](const PanelProduct& block, const Coming& coming) { finish_block(block, coming, finish); });
    return;
  }
  alignas(64) float sums[most_rows * panel_columns];
  for_each_block(product, [&](PanelProduct block, const Coming& coming) {
    float* dst = block.c;
    block.c = sums;
    block.c_step = panel_columns;
    multiply_block(block, coming);
    finish_rows(block, finish, columns, dst, product.c_step);
  });
}

}  // namespace strake::kernels

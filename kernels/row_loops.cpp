// SPDX-License-Identifier: Apache-2.0
#include "kernels/row_loops.hpp"

#include <algorithm>
#include <limits>

#include "kernels/multiversion.hpp"

namespace strake::kernels {

namespace {

struct Largest {
  static constexpr float first = std::numeric_limits<float>::lowest();
  template <class L>
  STRAKE_LANE_FUNCTION void take(const L& in, L& out) const {
    raise_to(in, out);
  }
  template <class L>
  STRAKE_LANE_FUNCTION void finish(L&) const {}
};

struct Sum {
  static constexpr float first = 0;
  template <class L>
  STRAKE_LANE_FUNCTION void take(const L& in, L& out) const {
    out += in;
  }
  template <class L>
  STRAKE_LANE_FUNCTION void finish(L&) const {}
};

struct Mean : Sum {
  float by;
  explicit Mean(float divisor) : by(divisor) {}
  template <class L>
  STRAKE_LANE_FUNCTION void finish(L& out) const {
    alignas(64) float values[lane_floats];
    store(out, values);
    for (float& value : values) value /= by;
    load(values, out);
  }
};

// Where the rows lie.
struct Listed {
  const float* const* in;
  STRAKE_LANE_FUNCTION const float* operator()(Index row) const { return in[row]; }
};

struct Spaced {
  const float* in;
  Index step;
  STRAKE_LANE_FUNCTION const float* operator()(Index row) const { return in + row * step; }
};

// `n` lanes of all rows at once, from channel `c` on.
template <class L, int n, class Rows, class Fold>
STRAKE_LANE_FUNCTION void fold_lanes(const Rows& rows, Index n_in, float* out, Index c, const Fold& fold) {
  L all[n];
#pragma GCC unroll 4
  for (int l = 0; l < n; ++l) all[l] = L{} + Fold::first;
  for (Index t = 0; t < n_in; ++t)
#pragma GCC unroll 4
    for (int l = 0; l < n; ++l) {
      L value;
      load(rows(t) + c + l * lane_floats, value);
      fold.take(value, all[l]);
    }
#pragma GCC unroll 4
  for (int l = 0; l < n; ++l) {
    fold.finish(all[l]);
    store(all[l], out + c + l * lane_floats);
  }
}

template <class L, class Rows, class Fold>
STRAKE_LANE_FUNCTION void fold_rows(const Rows& rows, Index n_in, float* out, Index n, const Fold& fold) {
  Index c = 0;
  for (; c + 4 * lane_floats <= n; c += 4 * lane_floats) fold_lanes<L, 4>(rows, n_in, out, c, fold);
  for (; c + lane_floats <= n; c += lane_floats) fold_lanes<L, 1>(rows, n_in, out, c, fold);
  if (c == n) return;
  // The last lane begins earlier, so that it is whole.
  if (n > lane_floats) return fold_lanes<L, 1>(rows, n_in, out, n - lane_floats, fold);
  L all = L{} + Fold::first;
  for (Index t = 0; t < n_in; ++t) {
    L value;
    load(rows(t) + c, n - c, value);
    fold.take(value, all);
  }
  fold.finish(all);
  store(all, n - c, out + c);
}

template <class L>
STRAKE_LANE_FUNCTION void largest_of_with(const float* const* in, Index n_in, float* out, Index n) {
  fold_rows<L>(Listed{in}, n_in, out, n, Largest{});
}
template <class L>
STRAKE_LANE_FUNCTION void mean_of_with(const float* const* in, Index n_in, float by, float* out, Index n) {
  fold_rows<L>(Listed{in}, n_in, out, n, Mean{by});
}
template <class L>
STRAKE_LANE_FUNCTION void sum_rows_with(const float* in, Index n_in, Index step, float* out, Index n) {
  fold_rows<L>(Spaced{in, step}, n_in, out, n, Sum{});
}

}  // namespace

STRAKE_BY_LANE(largest_of, (const float* const* in, Index n_in, float* out, Index n), (in, n_in, out, n))
STRAKE_BY_LANE(mean_of, (const float* const* in, Index n_in, float by, float* out, Index n), (in, n_in, by, out, n))
STRAKE_BY_LANE(sum_rows, (const float* in, Index n_in, Index step, float* out, Index n), (in, n_in, step, out, n))

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

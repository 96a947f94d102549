// SPDX-License-Identifier: Apache-2.0
// Softmax, LogSoftmax and Hardmax along an axis.

#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/errors.hpp"
#include "kernels/activation.hpp"
#include "kernels/along.hpp"
#include "kernels/makers.hpp"
#include "kernels/multiversion.hpp"
#include "kernels/row_loops.hpp"

namespace strake::kernels {

namespace {

// With those of row_loops.hpp, the bodies of all loops below.
STRAKE_MULTIVERSION void subtract(const float* in, const float* shift, float* out, Index n) {
  for (Index i = 0; i < n; ++i) out[i] = in[i] - shift[i];
}

STRAKE_MULTIVERSION void divide(float* values, const float* by, Index n) {
  for (Index i = 0; i < n; ++i) values[i] /= by[i];
}

void subtract(const double* in, const double* shift, double* out, Index n) {
  for (Index i = 0; i < n; ++i) out[i] = in[i] - shift[i];
}
void divide(double* values, const double* by, Index n) {
  for (Index i = 0; i < n; ++i) values[i] /= by[i];
}

void exponentials(const float* in, float* out, Index n) { apply({ActivationKind::exp, 0, 0}, in, out, n); }
void exponentials(const double* in, double* out, Index n) {
  for (Index i = 0; i < n; ++i) out[i] = std::exp(in[i]);
}

/// Rows of `n` cells that lie `step` elements apart; with one row, its cells are what is summed.
struct Rows {
  Index count;
  Index src_step;
  Index dst_step;
  Index n;
};

template <class T>
using Tile = std::array<T, tile_size>;

// Along rows: cell c of all rows makes one distribution.
template <class T>
void across_rows(SoftmaxKind kind, const T* in, T* out, const Rows& rows) {
  Tile<T> largest;
  std::copy_n(in, rows.n, largest.begin());
  for (Index i = 1; i < rows.count; ++i) take_larger(in + i * rows.src_step, largest.data(), rows.n);
  Tile<T> sums{};
  Tile<T> exps;
  for (Index i = 0; i < rows.count; ++i) {
    T* to = out + i * rows.dst_step;
    subtract(in + i * rows.src_step, largest.data(), to, rows.n);
    exponentials(to, kind == SoftmaxKind::softmax ? to : exps.data(), rows.n);
    add_row(kind == SoftmaxKind::softmax ? to : exps.data(), sums.data(), rows.n);
  }
  if (kind == SoftmaxKind::log_softmax)
    for (T& sum : sums) sum = std::log(sum);
  for (Index i = 0; i < rows.count; ++i) {
    T* to = out + i * rows.dst_step;
    if (kind == SoftmaxKind::softmax)
      divide(to, sums.data(), rows.n);
    else
      subtract(to, sums.data(), to, rows.n);
  }
}

// The cells of one row make one distribution. Lanes join in order, so that the row alone decides the bits.
template <class T>
void within_row(SoftmaxKind kind, const T* in, T* out, Index n) {
  Tile<T> lanes;
  lanes.fill(std::numeric_limits<T>::lowest());
  for (Index i = 0; i < n; i += tile_size) take_larger(in + i, lanes.data(), std::min(tile_size, n - i));
  T largest = lanes[0];
  for (const T lane : lanes) largest = std::max(largest, lane);
  lanes.fill(0);
  Tile<T> shift;
  shift.fill(largest);
  Tile<T> exps;
  for (Index i = 0; i < n; i += tile_size) {
    const Index m = std::min(tile_size, n - i);
    subtract(in + i, shift.data(), out + i, m);
    exponentials(out + i, kind == SoftmaxKind::softmax ? out + i : exps.data(), m);
    add_row(kind == SoftmaxKind::softmax ? out + i : exps.data(), lanes.data(), m);
  }
  T sum = 0;
  for (const T lane : lanes) sum += lane;
  shift.fill(kind == SoftmaxKind::softmax ? sum : std::log(sum));
  for (Index i = 0; i < n; i += tile_size) {
    const Index m = std::min(tile_size, n - i);
    if (kind == SoftmaxKind::softmax)
      divide(out + i, shift.data(), m);
    else
      subtract(out + i, shift.data(), out + i, m);
  }
}

// 1 at the first of the largest along one axis, for n neighbours.
template <class T>
void hardmax(const T* in, T* out, const Rows& rows) {
  for (Index c = 0; c < rows.n; ++c) {
    Index best = 0;
    for (Index i = 0; i < rows.count; ++i) {
      out[i * rows.dst_step + c] = 0;
      if (in[i * rows.src_step + c] > in[best * rows.src_step + c]) best = i;
    }
    out[best * rows.dst_step + c] = 1;
  }
}

template <class T>
KernelPtr make_typed(const Softmax& op, const View& src, const View& dst) {
  const auto axis = static_cast<std::size_t>(op.axis);
  return make_own([src, dst, kind = op.kind, size = src.box[axis].size(), src_step = src.strides[axis],
                   dst_step = dst.strides[axis], along = walk_along({src, dst}, {op.axis})] {
    for_each_tile(along, src.box.volume(), [&](Index place, Index first, Index n) {
      const T* in = reinterpret_cast<const T*>(src.data) + along.place(place, 0) + first;
      T* out = reinterpret_cast<T*>(dst.data) + along.place(place, 1) + first;
      const Rows rows{.count = size, .src_step = src_step, .dst_step = dst_step, .n = n};
      if (kind == SoftmaxKind::hardmax)
        hardmax(in, out, rows);
      else if (along.across)
        across_rows(kind, in, out, rows);
      else
        within_row(kind, in, out, size);
    });
  });
}

}  // namespace

KernelPtr make_softmax(const MakeContext& context) {
  const auto& op = *as<Softmax>(context.op());
  const View src = context.request.src.front();
  if (src.type == ElementType::f64) return make_typed<double>(op, src, context.request.dst);
  return make_typed<float>(op, src, context.request.dst);
}

}  // namespace strake::kernels

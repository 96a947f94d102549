// SPDX-License-Identifier: Apache-2.0
// The place of the largest or smallest value along an axis, and running sums.

#include <array>
#include <type_traits>

#include "core/errors.hpp"
#include "kernels/along.hpp"
#include "kernels/makers.hpp"

namespace strake::kernels {

namespace {

template <class T>
T* elements(const View& view) {
  return reinterpret_cast<T*>(view.data);
}

// The walk along one axis: its size and its step in a view.
struct Axis {
  Axis(const View& view, int axis)
      : size(view.box[static_cast<std::size_t>(axis)].size()), step(view.strides[static_cast<std::size_t>(axis)]) {}
  Index size;
  Index step;
};

// ---- ArgReduce ----------------------------------------------------------------------------------------------------

template <ArgKind kind, ArgTie tie, class T>
void place_of_best(const T* in, Axis axis, std::int64_t* out, Index out_step, Index n) {
  std::array<T, tile_size> best;
  std::array<std::int64_t, tile_size> where{};
  std::copy_n(in, n, best.begin());
  for (Index i = 1; i < axis.size; ++i) {
    const T* row = in + i * axis.step;
    for (std::size_t c = 0; c < static_cast<std::size_t>(n); ++c) {
      const bool better = kind == ArgKind::max ? row[c] > best[c] : row[c] < best[c];
      const bool takes = better || (tie == ArgTie::last && row[c] == best[c]);
      best[c] = takes ? row[c] : best[c];
      where[c] = takes ? i : where[c];
    }
  }
  for (Index c = 0; c < n; ++c) out[c * out_step] = where[static_cast<std::size_t>(c)];
}

template <class T>
auto best_finder(const ArgReduce& op) {
  if (op.kind == ArgKind::max)
    return op.tie == ArgTie::first ? place_of_best<ArgKind::max, ArgTie::first, T>
                                   : place_of_best<ArgKind::max, ArgTie::last, T>;
  return op.tie == ArgTie::first ? place_of_best<ArgKind::min, ArgTie::first, T>
                                 : place_of_best<ArgKind::min, ArgTie::last, T>;
}

// ---- CumSum -------------------------------------------------------------------------------------------------------

template <class T>
void running_sums(const CumSum& op, const T* in, Axis src, T* out, Axis dst, Index n) {
  // Floats add up in double; integers without a sign, where nothing overflows.
  using Sum = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;
  std::array<Sum, tile_size> sums{};
  for (Index step = 0; step < src.size; ++step) {
    const Index i = op.direction == SumDirection::forward ? step : src.size - 1 - step;
    for (Index c = 0; c < n; ++c) {
      Sum& sum = sums[static_cast<std::size_t>(c)];
      const Sum before = sum;
      sum += static_cast<Sum>(in[i * src.step + c]);
      out[i * dst.step + c] = static_cast<T>(op.place == SumPlace::exclusive ? before : sum);
    }
  }
}

}  // namespace

KernelPtr make_arg_reduce(const MakeContext& context) {
  const auto& op = *as<ArgReduce>(context.op());
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  return with_type(src.type, [&]<class T>(std::type_identity<T>) -> KernelPtr {
    return make_own(
        [src, dst, find = best_finder<T>(op), axis = Axis(src, op.axis), along = walk_along({src, dst}, {op.axis})] {
          for_each_tile(along, src.box.volume(), [&](Index place, Index first, Index n) {
            find(elements<const T>(src) + along.place(place, 0) + first, axis,
                 elements<std::int64_t>(dst) + along.place(place, 1) + first * along.inner[1], along.inner[1], n);
          });
        });
  });
}

KernelPtr make_cum_sum(const MakeContext& context) {
  const auto& op = *as<CumSum>(context.op());
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  return with_type(src.type, [&]<class T>(std::type_identity<T>) -> KernelPtr {
    return make_own(
        [src, dst, op, from = Axis(src, op.axis), to = Axis(dst, op.axis), along = walk_along({src, dst}, {op.axis})] {
          for_each_tile(along, src.box.volume(), [&](Index place, Index first, Index n) {
            running_sums<T>(op, elements<const T>(src) + along.place(place, 0) + first, from,
                            elements<T>(dst) + along.place(place, 1) + first, to, n);
          });
        });
  });
}

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
// Sums over rows and over parts, each in a fixed order that no cut along another axis changes, and what spans channels.

#include <cmath>

#include "kernels/along.hpp"
#include "kernels/makers.hpp"
#include "kernels/multiversion.hpp"
#include "kernels/row_loops.hpp"

namespace strake::kernels {

namespace {

// ---- ReduceRows, ReduceParts --------------------------------------------------------------------------------------

// out[c] = the largest over `count` runs of n channels, `step` elements apart; in order.
STRAKE_MULTIVERSION void max_runs(const float* in, Index count, Index step, float* out, Index n) {
  for (Index c = 0; c < n; ++c) out[c] = in[c];
  for (Index i = 1; i < count; ++i)
    for (Index c = 0; c < n; ++c) out[c] = in[i * step + c] > out[c] ? in[i * step + c] : out[c];
}

KernelPtr make_reduce_rows(const MakeContext& context, ReduceKind kind) {
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  return make_own([src, dst, kind] {
    const Index rows = dst.box[2].size();
    const auto reduce = kind == ReduceKind::sum ? sum_rows : max_runs;
#pragma omp parallel for schedule(static) if (src.box.volume() > parallel_floats)
    for (Index i = 0; i < dst.box[0].size() * rows; ++i)
      reduce(src.floats() + i / rows * src.strides[0] + i % rows * src.strides[2], src.box[3].size(), src.strides[3],
             dst.floats() + i / rows * dst.strides[0] + i % rows * dst.strides[2], dst.box[1].size());
  });
}

KernelPtr make_reduce_parts(const MakeContext& context, const ReduceParts& op) {
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  return make_own([src, dst, op] {
    const auto reduce = op.kind == ReduceKind::sum ? sum_rows : max_runs;
    for (Index n = 0; n < dst.box[0].size(); ++n) {
      float* out = dst.floats() + n * dst.strides[0];
      reduce(src.floats() + n * src.strides[0], src.box[2].size(), src.strides[2], out, dst.box[1].size());
      for (Index c = 0; c < dst.box[1].size(); ++c) out[c] *= op.scale;
    }
  });
}

// ---- LRN ----------------------------------------------------------------------------------------------------------

// out[c] = in[c] / (bias + alpha / size * sum of squares around c)^beta; the window reaches floor((size-1)/2) down and
// ceil((size-1)/2) up.
KernelPtr make_lrn(const MakeContext& context, const Lrn& op) {
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  return make_own([src, dst, op, along = walk_along({dst, src}, {1})] {
    const Interval held = src.box[1];
#pragma omp parallel for schedule(static) if (src.box.volume() > parallel_floats)
    for (Index place = 0; place < along.n_places(); ++place) {
      const float* from = src.floats() + along.place(place, 1);
      float* to = dst.floats() + along.place(place, 0);
      for (Index c = dst.box[1].begin; c < dst.box[1].end; ++c) {
        const Interval around = intersect({c - (op.size - 1) / 2, c + op.size / 2 + 1}, held);
        float sum = 0;
        for (Index i = around.begin; i < around.end; ++i) {
          const float x = from[(i - held.begin) * src.strides[1]];
          sum += x * x;
        }
        const float base = op.bias + op.alpha / static_cast<float>(op.size) * sum;
        to[(c - dst.box[1].begin) * dst.strides[1]] = from[(c - held.begin) * src.strides[1]] / std::pow(base, op.beta);
      }
    }
  });
}

}  // namespace

KernelPtr make_reduction(const MakeContext& context) {
  const Op& op = context.op();
  if (const auto* rows = as<ReduceRows>(op)) return make_reduce_rows(context, rows->kind);
  if (const auto* parts = as<ReduceParts>(op)) return make_reduce_parts(context, *parts);
  if (as<Reduce>(op) != nullptr) return make_reduce_axes(context);
  if (as<ArgReduce>(op) != nullptr) return make_arg_reduce(context);
  if (as<CumSum>(op) != nullptr) return make_cum_sum(context);
  if (as<Softmax>(op) != nullptr) return make_softmax(context);
  return make_lrn(context, *as<Lrn>(op));
}

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
// Operators that add along an axis, each in a fixed order that no cut along another axis changes.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/errors.hpp"
#include "kernels/activation.hpp"
#include "kernels/makers.hpp"
#include "kernels/multiversion.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

// ---- ReduceRows, ReduceParts --------------------------------------------------------------------------------------

// out[c] = f over `count` runs of n channels, `step` elements apart; in order.
STRAKE_MULTIVERSION void sum_runs(const float* in, Index count, Index step, float* out, Index n) {
  for (Index c = 0; c < n; ++c) out[c] = 0.0F;
  for (Index i = 0; i < count; ++i)
    for (Index c = 0; c < n; ++c) out[c] += in[i * step + c];
}

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
    const auto reduce = kind == ReduceKind::sum ? sum_runs : max_runs;
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
    const auto reduce = op.kind == ReduceKind::sum ? sum_runs : max_runs;
    for (Index n = 0; n < dst.box[0].size(); ++n) {
      float* out = dst.floats() + n * dst.strides[0];
      reduce(src.floats() + n * src.strides[0], src.box[2].size(), src.strides[2], out, dst.box[1].size());
      for (Index c = 0; c < dst.box[1].size(); ++c) out[c] *= op.scale;
    }
  });
}

// ---- generic loops along axes -------------------------------------------------------------------------------------

// Outer cells of `dst` and, for each, the cells of `src` along the reduced axes.
struct Lanes {
  Walk outer;  // views: src, dst
  Walk lane;   // view: src
};

Lanes lanes_of(const View& src, const View& dst, const std::vector<int>& axes) {
  std::vector<Index> outer_sizes;
  std::vector<Index> lane_sizes;
  std::vector<std::vector<Index>> outer(2);
  std::vector<std::vector<Index>> lane(1);
  for (std::size_t axis = 0; axis < src.box.rank(); ++axis) {
    if (std::find(axes.begin(), axes.end(), static_cast<int>(axis)) != axes.end()) {
      lane_sizes.push_back(src.box[axis].size());
      lane[0].push_back(src.strides[axis]);
    } else {
      outer_sizes.push_back(dst.box[axis].size());
      outer[0].push_back(src.strides[axis]);
      outer[1].push_back(dst.strides[axis]);
    }
  }
  return {make_walk(outer_sizes, outer), make_walk(lane_sizes, lane)};
}

// Calls body(src, dst) for each outer cell.
template <class Body>
void for_each_lane(const Lanes& lanes, const float* src, float* dst, Body body) {
  for (Index run = 0; run < lanes.outer.n_runs; ++run)
    for (Index i = 0; i < lanes.outer.length; ++i)
      body(src + lanes.outer.offset(run, 0) + i * lanes.outer.inner[0],
           dst + lanes.outer.offset(run, 1) + i * lanes.outer.inner[1]);
}

template <class Body>
void for_each_cell(const Walk& lane, const float* src, Body body) {
  for (Index run = 0; run < lane.n_runs; ++run) {
    const float* from = src + lane.offset(run, 0);
    for (Index i = 0; i < lane.length; ++i) body(from[i * lane.inner[0]]);
  }
}

float reduce_lane(GenericReduceKind kind, const Walk& lane, const float* src) {
  float result = 0;
  switch (kind) {
    case GenericReduceKind::max:
      result = std::numeric_limits<float>::lowest();
      for_each_cell(lane, src, [&](float x) { result = x > result ? x : result; });
      return result;
    case GenericReduceKind::min:
      result = std::numeric_limits<float>::max();
      for_each_cell(lane, src, [&](float x) { result = x < result ? x : result; });
      return result;
    case GenericReduceKind::sum:
    case GenericReduceKind::mean:
      break;
  }
  double sum = 0;
  for_each_cell(lane, src, [&](float x) { sum += static_cast<double>(x); });
  if (kind == GenericReduceKind::mean) sum /= static_cast<double>(lane.n_runs * lane.length);
  return static_cast<float>(sum);
}

KernelPtr make_reduce(const MakeContext& context, const Reduce& op) {
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  return make_own([src, dst, kind = op.kind, lanes = lanes_of(src, dst, op.axes)] {
    for_each_lane(lanes, src.floats(), dst.floats(),
                  [&](const float* from, float* to) { *to = reduce_lane(kind, lanes.lane, from); });
  });
}

KernelPtr make_softmax(const MakeContext& context, const Softmax& op) {
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  const auto axis = static_cast<std::size_t>(op.axis);
  return make_own([src, dst, lanes = lanes_of(src, dst, {op.axis}), n = src.box[axis].size(), in = src.strides[axis],
                   out = dst.strides[axis]] {
    for_each_lane(lanes, src.floats(), dst.floats(), [&](const float* from, float* to) {
      float largest = std::numeric_limits<float>::lowest();
      for (Index i = 0; i < n; ++i) largest = std::max(largest, from[i * in]);
      float sum = 0;
      for (Index i = 0; i < n; ++i) {
        to[i * out] = fast_exp(from[i * in] - largest);
        sum += to[i * out];
      }
      for (Index i = 0; i < n; ++i) to[i * out] /= sum;
    });
  });
}

// out[c] = in[c] / (bias + alpha / size * sum of squares around c)^beta; the window reaches floor((size-1)/2) down and
// ceil((size-1)/2) up.
KernelPtr make_lrn(const MakeContext& context, const Lrn& op) {
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  return make_own([src, dst, op, lanes = lanes_of(src, dst, {1})] {
    const Interval held = src.box[1];
    for_each_lane(lanes, src.floats(), dst.floats(), [&](const float* from, float* to) {
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
    });
  });
}

}  // namespace

KernelPtr make_reduction(const MakeContext& context) {
  const Op& op = context.op();
  if (const auto* rows = as<ReduceRows>(op)) return make_reduce_rows(context, rows->kind);
  if (const auto* parts = as<ReduceParts>(op)) return make_reduce_parts(context, *parts);
  if (const auto* reduce = as<Reduce>(op)) return make_reduce(context, *reduce);
  if (const auto* softmax = as<Softmax>(op)) return make_softmax(context, *softmax);
  return make_lrn(context, *as<Lrn>(op));
}

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
// Where maxima of a pooling lie, and the way back.

#include <cstdint>

#include "kernels/makers.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

class PoolIndicesKernel final : public Kernel {
 public:
  PoolIndicesKernel(const MakeContext& context, const PoolIndices& op)
      : op_(op), src_(context.request.src.front()), dst_(context.request.dst), map_(context.src_shape(0)) {}

  void run() override {
    const Box& box = dst_.box;
    const Index rows = box[0].size() * box[2].size();
#pragma omp parallel for schedule(static) if (rows > 1 && box.volume() > parallel_floats / 8)
    for (Index row = 0; row < rows; ++row) {
      const Index n = box[0].begin + row / box[2].size();
      const Index y = box[2].begin + row % box[2].size();
      for (Index x = box[3].begin; x < box[3].end; ++x)
        for (Index c = box[1].begin; c < box[1].end; ++c)
          reinterpret_cast<std::int64_t*>(dst_.data)[place(dst_, n, c, y, x)] = largest_at(n, c, y, x);
    }
  }

  [[nodiscard]] std::string implementation() const override { return "own_pool_indices"; }

 private:
  static Index place(const View& view, Index n, Index c, Index y, Index x) {
    return (n - view.box[0].begin) * view.strides[0] + (c - view.box[1].begin) * view.strides[1] +
           (y - view.box[2].begin) * view.strides[2] + (x - view.box[3].begin) * view.strides[3];
  }

  // The first of the largest, row by row; -1, which MaxUnpool passes over, where the window holds nothing but padding.
  [[nodiscard]] Index largest_at(Index n, Index c, Index oy, Index ox) const {
    Index found = -1;
    float largest = 0;
    for (Index ky = 0; ky < op_.window.h.kernel; ++ky) {
      const Index y = oy * op_.window.h.stride - op_.window.h.pad_begin + ky * op_.window.h.dilation;
      if (y < 0 || y >= map_[2]) continue;
      for (Index kx = 0; kx < op_.window.w.kernel; ++kx) {
        const Index x = ox * op_.window.w.stride - op_.window.w.pad_begin + kx * op_.window.w.dilation;
        if (x < 0 || x >= map_[3]) continue;
        const float value = src_.floats()[place(src_, n, c, y, x)];
        if (found >= 0 && !(value > largest)) continue;
        largest = value;
        found = op_.order == StorageOrder::rows_first ? y * map_[3] + x : y + x * map_[2];
      }
    }
    return found < 0 ? -1 : (n * map_[1] + c) * map_[2] * map_[3] + found;
  }

  PoolIndices op_;
  View src_;
  View dst_;
  Shape map_;
};

class MaxUnpoolKernel final : public Kernel {
 public:
  MaxUnpoolKernel(const MakeContext& context, const MaxUnpool& op)
      : op_(op),
        values_(context.request.src[0]),
        indices_(context.request.src[1]),
        dst_(context.request.dst),
        channels_(context.op().shape[1]) {}

  // One thread: where indices repeat, the last one counts, row by row.
  void run() override {
    const Walk all = walk_over({dst_});
    for (Index run = 0; run < all.n_runs; ++run)
      for (Index i = 0; i < all.length; ++i) dst_.floats()[all.offset(run, 0) + i * all.inner[0]] = 0;
    const Box& box = values_.box;
    if (box.empty()) return;
    for (Index n = 0; n < box[0].size(); ++n)
      for (Index c = 0; c < box[1].size(); ++c)
        for (Index y = 0; y < box[2].size(); ++y)
          for (Index x = 0; x < box[3].size(); ++x) put(at(values_, n, c, y, x), at(indices_, n, c, y, x));
  }

  [[nodiscard]] std::string implementation() const override { return "own_unpool"; }

 private:
  static Index at(const View& view, Index n, Index c, Index y, Index x) {
    return n * view.strides[0] + c * view.strides[1] + y * view.strides[2] + x * view.strides[3];
  }

  void put(Index value, Index index) const {
    const Index place = reinterpret_cast<const std::int64_t*>(indices_.data)[index];
    const Index cells = op_.map_h * op_.map_w;
    const Index channel = place / cells;
    const Index n = channel / channels_ - dst_.box[0].begin;
    const Index c = channel % channels_ - dst_.box[1].begin;
    const Index y = place % cells / op_.map_w - dst_.box[2].begin;
    const Index x = place % op_.map_w - dst_.box[3].begin;
    const bool inside = place >= 0 && n >= 0 && n < dst_.box[0].size() && c >= 0 && c < dst_.box[1].size() && y >= 0 &&
                        y < dst_.box[2].size() && x >= 0 && x < dst_.box[3].size();
    if (inside) dst_.floats()[at(dst_, n, c, y, x)] = values_.floats()[value];
  }

  MaxUnpool op_;
  View values_;
  View indices_;
  View dst_;
  Index channels_;
};

}  // namespace

KernelPtr make_pool_indices(const MakeContext& context) {
  if (const auto* op = as<PoolIndices>(context.op())) return std::make_unique<PoolIndicesKernel>(context, *op);
  return std::make_unique<MaxUnpoolKernel>(context, *as<MaxUnpool>(context.op()));
}

}  // namespace strake::kernels

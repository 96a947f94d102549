// SPDX-License-Identifier: Apache-2.0
// Pools and convolutions of maps with any number of axes, as volumes have: plain, and in one order of additions.

#include <algorithm>
#include <limits>

#include "kernels/makers.hpp"
#include "kernels/multiversion.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

// The taps of one output cell along one axis that lie inside the map.
struct AxisTaps {
  std::vector<Index> offsets;  // of the source's cells, in elements
  std::vector<Index> taps;     // their numbers in the kernel
  Index counted = 0;           // those inside the map and its declared padding
};

AxisTaps taps_of(const WindowAxis& window, Index spread, Index size, Index at, Index src_begin, Index stride) {
  AxisTaps taps;
  for (Index k = 0; k < window.kernel; ++k) {
    const Index place = at * window.stride - window.pad_begin + k * window.dilation;
    if (place < (size - 1) * spread + 1 + window.pad_end) ++taps.counted;
    if (place < 0 || place % spread != 0 || place / spread >= size) continue;
    taps.offsets.push_back((place / spread - src_begin) * stride);
    taps.taps.push_back(k);
  }
  return taps;
}

// Calls body(offset, tap) for all combinations of the taps of some axes, the last axis fastest; `tap` counts in the
// kernel row by row.
void for_each_tap(const std::vector<const AxisTaps*>& axes, const std::vector<WindowAxis>& windows, const auto& body,
                  std::size_t axis = 0, Index offset = 0, Index tap = 0) {
  if (axis == axes.size()) return body(offset, tap);
  const AxisTaps& taps = *axes[axis];
  for (std::size_t i = 0; i < taps.taps.size(); ++i)
    for_each_tap(axes, windows, body, axis + 1, offset + taps.offsets[i], tap * windows[axis].kernel + taps.taps[i]);
}

/// The cells of a box of (n, c, d1, ..., dk): their places in memory, and the taps of each.
class Cells {
 public:
  Cells(const MakeContext& context, const std::vector<WindowAxis>& axes, const std::vector<Index>& spread)
      : src(context.request.src.front()), dst(context.request.dst), windows(axes) {
    for (std::size_t i = 0; i < windows.size(); ++i) {
      std::vector<AxisTaps>& list = taps_.emplace_back();
      const Interval src_cells = src.box.empty() ? Interval{} : src.box[i + 2];
      for (Index at = dst.box[i + 2].begin; at < dst.box[i + 2].end; ++at)
        list.push_back(
            taps_of(windows[i], spread[i], context.src_shape(0)[i + 2], at, src_cells.begin, src.strides[i + 2]));
      n_cells *= dst.box[i + 2].size();
    }
  }

  // The taps of cell number `cell`, row by row, and where the cell lies behind the first.
  Index locate(Index cell, std::vector<const AxisTaps*>& axes) const {
    Index place = 0;
    axes.resize(windows.size());
    for (std::size_t i = windows.size(); i-- > 0;) {
      const Index at = cell % dst.box[i + 2].size();
      cell /= dst.box[i + 2].size();
      axes[i] = &taps_[i][static_cast<std::size_t>(at)];
      place += at * dst.strides[i + 2];
    }
    return place;
  }

  // Channel `c` of the source's box; null where there is nothing but padding, which nobody reads.
  [[nodiscard]] const float* plane(Index n, Index c) const {
    return src.box.empty() ? nullptr : src.floats() + n * src.strides[0] + c * src.strides[1];
  }

  View src;
  View dst;
  std::vector<WindowAxis> windows;
  Index n_cells = 1;

 private:
  std::vector<std::vector<AxisTaps>> taps_;  // [axis][cell of the box]
};

class PoolNdKernel final : public Kernel {
 public:
  PoolNdKernel(const MakeContext& context, const PoolNd& op)
      : kind_(op.kind), cells_(context, op.windows, std::vector<Index>(op.windows.size(), 1)) {}

  void run() override {
    const Box& box = cells_.dst.box;
    const Index planes = box[0].size() * box[1].size();
#pragma omp parallel for schedule(static) if (planes > 1 && box.volume() > parallel_floats / 8)
    for (Index plane = 0; plane < planes; ++plane) pool_plane(plane / box[1].size(), plane % box[1].size());
  }

  [[nodiscard]] std::string implementation() const override { return "own_pool_nd"; }

 private:
  void pool_plane(Index n, Index c) const {
    const float* src = cells_.plane(n, c);
    float* dst = cells_.dst.floats() + n * cells_.dst.strides[0] + c * cells_.dst.strides[1];
    std::vector<const AxisTaps*> axes;
    for (Index cell = 0; cell < cells_.n_cells; ++cell) {
      const Index place = cells_.locate(cell, axes);
      float sum = 0;
      float largest = std::numeric_limits<float>::lowest();
      Index inside = 0;
      for_each_tap(axes, cells_.windows, [&](Index offset, Index) {
        sum += src[offset];
        largest = src[offset] > largest ? src[offset] : largest;
        ++inside;
      });
      if (kind_ == PoolNdKind::average_of_padded) {
        inside = 1;
        for (const AxisTaps* axis : axes) inside *= axis->counted;
      }
      dst[place] = kind_ == PoolNdKind::max   ? largest
                   : kind_ == PoolNdKind::sum ? sum
                                              : sum / static_cast<float>(std::max<Index>(inside, 1));
    }
  }

  PoolNdKind kind_;
  Cells cells_;
};

class ConvNdKernel final : public Kernel {
 public:
  ConvNdKernel(const MakeContext& context, const ConvNd& op)
      : cells_(context, op.windows, op.spread),
        n_in_(context.src_shape(0)[1] / op.groups),
        n_out_(context.op().shape[1] / op.groups),
        weights_(Blob::copy_of(context.weights.original(op.weights).floats())) {
    if (op.bias != no_weight) bias_ = Blob::copy_of(context.weights.original(op.bias).floats());
    for (const WindowAxis& window : op.windows) taps_ *= window.kernel;
  }

  void run() override {
    const Box& box = cells_.dst.box;
    const Index planes = box[0].size() * box[1].size();
#pragma omp parallel for schedule(static) if (planes > 1)
    for (Index plane = 0; plane < planes; ++plane) convolve_plane(plane / box[1].size(), plane % box[1].size());
  }

  [[nodiscard]] std::string implementation() const override { return "own_conv_nd"; }

 private:
  void convolve_plane(Index n, Index c) const {
    const Index m = cells_.dst.box[1].begin + c;
    const Index first = m / n_out_ * n_in_ - cells_.src.box[1].begin;
    const float* src = cells_.plane(n, first);
    float* dst = cells_.dst.floats() + n * cells_.dst.strides[0] + c * cells_.dst.strides[1];
    const float* weights = weights_.floats().data() + m * n_in_ * taps_;
    const float bias = bias_.size_bytes() == 0 ? 0.0F : bias_.floats()[static_cast<std::size_t>(m)];
    std::vector<const AxisTaps*> axes;
    for (Index cell = 0; cell < cells_.n_cells; ++cell) {
      const Index place = cells_.locate(cell, axes);
      float sum = 0;
      for_each_tap(axes, cells_.windows, [&](Index offset, Index tap) {
        for (Index i = 0; i < n_in_; ++i) sum += src[offset + i * cells_.src.strides[1]] * weights[i * taps_ + tap];
      });
      dst[place] = sum + bias;
    }
  }

  Cells cells_;
  Index n_in_;
  Index n_out_;
  Index taps_ = 1;
  Blob weights_;
  Blob bias_;
};

}  // namespace

KernelPtr make_windows_nd(const MakeContext& context) {
  if (const auto* op = as<PoolNd>(context.op())) return std::make_unique<PoolNdKernel>(context, *op);
  return std::make_unique<ConvNdKernel>(context, *as<ConvNd>(context.op()));
}

}  // namespace strake::kernels

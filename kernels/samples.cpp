// SPDX-License-Identifier: Apache-2.0
// Operators that read a map at places which other tensors name: GridSample and RoiAlign. Places are computed in double,
// channels of a pixel are mixed together.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/makers.hpp"
#include "kernels/multiversion.hpp"
#include "kernels/row_loops.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

STRAKE_MULTIVERSION void add_scaled(const float* in, float weight, float* out, Index n) {
  for (Index c = 0; c < n; ++c) out[c] += weight * in[c];
}

const float* pixel(const View& map, Index n, Index y, Index x) {
  return map.floats() + (n - map.box[0].begin) * map.strides[0] + (y - map.box[2].begin) * map.strides[2] +
         (x - map.box[3].begin) * map.strides[3];
}

// ---- GridSample ---------------------------------------------------------------------------------------------------

/// One axis of the map: where grid places lie on it, and what lies beyond its border.
class GridAxis {
 public:
  GridAxis(const GridSample& op, Index size) : op_(op), size_(size) {
    const auto last = static_cast<double>(size - 1);
    const bool centres = op.corners == Corners::centres;
    least_ = centres ? 0 : -0.5;
    most_ = centres ? last : last + 0.5;
  }

  /// In cells; far places are brought into a range that integers hold.
  [[nodiscard]] double place(float grid) const {
    const double size = static_cast<double>(size_);
    double at = op_.corners == Corners::centres ? (grid + 1.0) / 2 * (size - 1) : ((grid + 1.0) * size - 1) / 2;
    at = std::isnan(at) ? -1e9 : std::clamp(at, -1e9, 1e9);
    if (op_.kind == SampleKind::cubic || op_.border == SampleBorder::zeros) return at;
    return op_.border == SampleBorder::edge ? std::clamp(at, 0.0, size - 1) : reflected(at);
  }

  /// The cell of the map that stands at `at`, or -1 for zero.
  [[nodiscard]] Index cell(Index at) const {
    if (at >= 0 && at < size_) return at;
    if (op_.border == SampleBorder::zeros) return -1;
    if (op_.border == SampleBorder::edge) return std::clamp<Index>(at, 0, size_ - 1);
    return std::clamp<Index>(static_cast<Index>(reflected(static_cast<double>(at))), 0, size_ - 1);
  }

 private:
  [[nodiscard]] double reflected(double at) const {
    const double range = most_ - least_;
    if (range <= 0) return 0;
    if (at >= least_ && at <= most_) return at;
    const double beyond = at < least_ ? least_ - at : at - most_;
    const double turns = std::floor(beyond / range);
    const double rest = beyond - turns * range;
    const bool from_least = (std::fmod(turns, 2) == 0) == (at < least_);
    return from_least ? least_ + rest : most_ - rest;
  }

  GridSample op_;
  Index size_;
  double least_ = 0;
  double most_ = 0;
};

/// Up to four cells along one axis.
struct Taps {
  std::array<Index, 4> cells{};
  std::array<double, 4> weights{};
  std::size_t n = 0;
};

double cubic_weight(double distance) {
  constexpr double a = -0.75;
  const double x = std::abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

Taps taps_of(const GridAxis& axis, SampleKind kind, float grid) {
  const double at = axis.place(grid);
  if (kind == SampleKind::nearest) return {{axis.cell(static_cast<Index>(std::nearbyint(at)))}, {1}, 1};
  const double low = std::floor(at);
  const auto first = static_cast<Index>(low);
  const double rest = at - low;
  if (kind == SampleKind::linear) return {{axis.cell(first), axis.cell(first + 1)}, {1 - rest, rest}, 2};
  Taps taps{.n = 4};
  for (std::size_t i = 0; i < 4; ++i) {
    taps.cells[i] = axis.cell(first - 1 + static_cast<Index>(i));
    taps.weights[i] = cubic_weight(rest + 1 - static_cast<double>(i));
  }
  return taps;
}

class GridSampleKernel final : public Kernel {
 public:
  GridSampleKernel(const MakeContext& context, const GridSample& op)
      : op_(op),
        map_(context.request.src[0]),
        grid_(context.request.src[1]),
        dst_(context.request.dst),
        rows_(op, context.src_shape(0)[2]),
        columns_(op, context.src_shape(0)[3]) {}

  void run() override {
    const Index rows = dst_.box[2].size();
    const Index all = dst_.box[0].size() * rows;
#pragma omp parallel for schedule(static) if (all > 1 && dst_.box.volume() > parallel_floats / 8)
    for (Index row = 0; row < all; ++row) sample_row(row / rows, row % rows);
  }

  [[nodiscard]] std::string implementation() const override { return "own_grid_sample"; }

 private:
  void sample_row(Index n, Index y) const {
    const Index channels = dst_.box[1].size();
    float* out = dst_.floats() + n * dst_.strides[0] + y * dst_.strides[2];
    const float* grid = grid_.floats() + n * grid_.strides[0] + y * grid_.strides[1];
    for (Index x = 0; x < dst_.box[3].size(); ++x, out += dst_.strides[3], grid += grid_.strides[2]) {
      const Taps across = taps_of(columns_, op_.kind, grid[0]);
      const Taps down = taps_of(rows_, op_.kind, grid[grid_.strides[3]]);
      std::fill_n(out, channels, 0.0F);
      for (std::size_t i = 0; i < down.n; ++i)
        for (std::size_t j = 0; j < across.n; ++j) {
          if (down.cells[i] < 0 || across.cells[j] < 0) continue;
          add_scaled(pixel(map_, dst_.box[0].begin + n, down.cells[i], across.cells[j]),
                     static_cast<float>(down.weights[i] * across.weights[j]), out, channels);
        }
    }
  }

  GridSample op_;
  View map_;
  View grid_;
  View dst_;
  GridAxis rows_;
  GridAxis columns_;
};

// ---- RoiAlign -----------------------------------------------------------------------------------------------------

/// Two cells along one axis; none outside the map.
struct Pair {
  bool inside = false;
  Index low = 0;
  Index high = 0;
  float low_weight = 0;
  float high_weight = 0;
};

Pair pair_at(double at, Index size) {
  if (!(at >= -1) || at > static_cast<double>(size)) return {};
  at = std::max(at, 0.0);
  const auto low = static_cast<Index>(at);
  if (low >= size - 1) return {true, size - 1, size - 1, 1, 0};
  const double rest = at - static_cast<double>(low);
  return {true, low, low + 1, static_cast<float>(1 - rest), static_cast<float>(rest)};
}

class RoiAlignKernel final : public Kernel {
 public:
  RoiAlignKernel(const MakeContext& context, const RoiAlign& op)
      : op_(op),
        map_(context.request.src[0]),
        rois_(context.request.src[1]),
        batches_(context.request.src[2]),
        dst_(context.request.dst),
        map_shape_(context.src_shape(0)),
        shape_(context.op().shape) {}

  void run() override {
    const Index rows = dst_.box[2].size();
    const Index all = dst_.box[0].size() * rows;
#pragma omp parallel for schedule(static) if (all > 1)
    for (Index row = 0; row < all; ++row)
      for (Index x = 0; x < dst_.box[3].size(); ++x) bin(row / rows, row % rows, x);
  }

  [[nodiscard]] std::string implementation() const override { return "own_roi_align"; }

 private:
  // One axis of a region: where its bins begin, and how finely they are sampled.
  struct Axis {
    double begin;
    double bin;
    Index samples;
  };

  [[nodiscard]] Axis axis_of(Index roi, Index first, Index bins, Index most) const {
    const float* ends = rois_.floats() + roi * rois_.strides[0];
    const double begin = static_cast<double>(ends[first * rois_.strides[1]]) * op_.spatial_scale - op_.offset;
    const double end = static_cast<double>(ends[(first + 2) * rois_.strides[1]]) * op_.spatial_scale - op_.offset;
    const double size = op_.offset == 0 ? std::max(end - begin, 1.0) : end - begin;
    const double bin = size / static_cast<double>(bins);
    // Regions come from data: what reaches far beyond the map needs no more samples than the map has cells.
    const double cells = std::isfinite(bin) ? std::clamp(std::ceil(bin), 0.0, 4.0 * static_cast<double>(most)) : 0;
    return {begin, bin, op_.sampling_ratio > 0 ? op_.sampling_ratio : static_cast<Index>(cells)};
  }

  void bin(Index roi, Index y, Index x) const {
    const Index channels = dst_.box[1].size();
    float* out = dst_.floats() + roi * dst_.strides[0] + y * dst_.strides[2] + x * dst_.strides[3];
    std::fill_n(out, channels, 0.0F);
    const auto n = reinterpret_cast<const std::int64_t*>(batches_.data)[roi * batches_.strides[0]];
    if (n < 0 || n >= map_shape_[0]) return;
    const Axis down = axis_of(roi, 1, shape_[2], map_shape_[2]);
    const Axis across = axis_of(roi, 0, shape_[3], map_shape_[3]);
    const auto place = [](const Axis& axis, Index at, Index sample) {
      return axis.begin + axis.bin * (static_cast<double>(at) +
                                      (static_cast<double>(sample) + 0.5) / static_cast<double>(axis.samples));
    };
    for (Index i = 0; i < down.samples; ++i)
      for (Index j = 0; j < across.samples; ++j)
        add_sample(n, pair_at(place(down, dst_.box[2].begin + y, i), map_shape_[2]),
                   pair_at(place(across, dst_.box[3].begin + x, j), map_shape_[3]), i + j == 0, out);
    if (op_.kind == RoiKind::average)
      divide_row(out, static_cast<float>(std::max<Index>(down.samples * across.samples, 1)), channels);
  }

  // A maximum is that of the four weighted cells, not of their sum: ONNX's own reference defines it so.
  void add_sample(Index n, const Pair& down, const Pair& across, bool first, float* out) const {
    const Index channels = dst_.box[1].size();
    const bool inside = down.inside && across.inside;
    if (op_.kind == RoiKind::max && first) std::fill_n(out, channels, std::numeric_limits<float>::lowest());
    const std::array<std::pair<Index, float>, 2> ys = {{{down.low, down.low_weight}, {down.high, down.high_weight}}};
    const std::array<std::pair<Index, float>, 2> xs = {
        {{across.low, across.low_weight}, {across.high, across.high_weight}}};
    for (const auto& [y, wy] : ys)
      for (const auto& [x, wx] : xs) {
        const float weight = inside ? wy * wx : 0.0F;
        const float* in = pixel(map_, n, inside ? y : 0, inside ? x : 0);
        if (op_.kind == RoiKind::average) {
          if (inside) add_scaled(in, weight, out, channels);
        } else {
          for (Index c = 0; c < channels; ++c) out[c] = std::max(out[c], inside ? weight * in[c] : 0.0F);
        }
      }
  }

  RoiAlign op_;
  View map_;
  View rois_;
  View batches_;
  View dst_;
  Shape map_shape_;
  Shape shape_;
};

}  // namespace

KernelPtr make_samples(const MakeContext& context) {
  if (const auto* op = as<GridSample>(context.op())) return std::make_unique<GridSampleKernel>(context, *op);
  return std::make_unique<RoiAlignKernel>(context, *as<RoiAlign>(context.op()));
}

}  // namespace strake::kernels

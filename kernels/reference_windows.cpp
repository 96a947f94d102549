// SPDX-License-Identifier: Apache-2.0
// The reference of the operators in core/ops/window_ops.hpp and core/ops/resize.hpp.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "kernels/reference_scope.hpp"

namespace strake::kernels {

namespace {

// ---- blocks and borders -------------------------------------------------------------------------------------------

long double depth_to_space_at(const Scope& s, const DepthToSpace& op, const Indices& o) {
  const Index c = s.op.shape[1] / op.groups;
  const Index y = o[2] + op.begin_h;
  const Index x = o[3] + op.begin_w;
  const Index channel = ((o[1] / c * op.block_h + y % op.block_h) * op.block_w + x % op.block_w) * c + o[1] % c;
  return s.number(0, {o[0], channel, y / op.block_h, x / op.block_w});
}

long double space_to_depth_at(const Scope& s, const SpaceToDepth& op, const Indices& o) {
  const Index c = s.shape(0)[1] / op.groups;
  const Index j = o[1] / c % op.block_w;
  const Index i = o[1] / c / op.block_w % op.block_h;
  const Index group = o[1] / c / op.block_w / op.block_h;
  return s.number(0, {o[0], group * c + o[1] % c, o[2] * op.block_h + i, o[3] * op.block_w + j});
}

long double border_pad_at(const Scope& s, const BorderPad& op, Indices o) {
  for (std::size_t axis = 0; axis < o.size(); ++axis) {
    const Index last = s.shape(0)[axis] - 1;
    Index& at = o[axis];
    at -= op.begin[axis];
    while (at < 0 || at > last) {
      if (op.kind == BorderKind::edge)
        at = at < 0 ? 0 : last;
      else if (op.kind == BorderKind::wrap)
        at += at < 0 ? last + 1 : -last - 1;
      else
        at = last == 0 ? 0 : (at < 0 ? -at : 2 * last - at);
    }
  }
  return s.number(0, o);
}

// ---- windows of any number of axes --------------------------------------------------------------------------------

Shape kernel_of(const std::vector<WindowAxis>& windows) {
  Shape kernel;
  for (const WindowAxis& window : windows) kernel.push_back(window.kernel);
  return kernel;
}

Index place_of(const WindowAxis& window, Index at, Index tap) {
  return at * window.stride - window.pad_begin + tap * window.dilation;
}

long double pool_nd_at(const Scope& s, const PoolNd& op, const Indices& o) {
  long double sum = 0;
  long double largest = std::numeric_limits<float>::lowest();
  Index inside = 0;
  Index padded = 0;
  for_each(kernel_of(op.windows), [&](const Indices& tap) {
    Indices at = o;
    bool in_map = true;
    bool in_padding = true;
    for (std::size_t i = 0; i < tap.size(); ++i) {
      at[i + 2] = place_of(op.windows[i], o[i + 2], tap[i]);
      in_map = in_map && at[i + 2] >= 0 && at[i + 2] < s.shape(0)[i + 2];
      in_padding = in_padding && at[i + 2] < s.shape(0)[i + 2] + op.windows[i].pad_end;
    }
    if (in_padding) ++padded;
    if (!in_map) return;
    ++inside;
    sum += s.number(0, at);
    largest = std::max(largest, s.number(0, at));
  });
  switch (op.kind) {
    case PoolNdKind::max:
      return largest;
    case PoolNdKind::sum:
      return sum;
    case PoolNdKind::average_of_input:
      return sum / static_cast<long double>(std::max<Index>(inside, 1));
    case PoolNdKind::average_of_padded:
      return sum / static_cast<long double>(padded);
  }
  return 0;
}

long double conv_nd_at(const Scope& s, const ConvNd& op, const Indices& o) {
  const Shape& src = s.shape(0);
  const Shape& weights = s.graph.weight(op.weights).shape;
  const Index group = o[1] / (s.op.shape[1] / op.groups);
  long double sum = op.bias == no_weight ? 0 : s.weight(op.bias, o[1]);
  for_each(kernel_of(op.windows), [&](const Indices& tap) {
    Indices at = o;
    Indices weight = {o[1], 0};
    for (std::size_t i = 0; i < tap.size(); ++i) {
      const Index place = place_of(op.windows[i], o[i + 2], tap[i]);
      if (place < 0 || place % op.spread[i] != 0 || place / op.spread[i] >= src[i + 2]) return;
      at[i + 2] = place / op.spread[i];
      weight.push_back(tap[i]);
    }
    for (Index c = 0; c < weights[1]; ++c) {
      at[1] = group * weights[1] + c;
      weight[1] = c;
      sum += s.number(0, at) * s.weight(op.weights, flat(weights, weight));
    }
  });
  return sum;
}

long double pool_indices_at(const Scope& s, const PoolIndices& op, const Indices& o) {
  const Shape& src = s.shape(0);
  Index found = -1;
  long double largest = 0;
  for_each({op.window.h.kernel, op.window.w.kernel}, [&](const Indices& tap) {
    const Index y = place_of(op.window.h, o[2], tap[0]);
    const Index x = place_of(op.window.w, o[3], tap[1]);
    if (y < 0 || y >= src[2] || x < 0 || x >= src[3]) return;
    const long double value = s.number(0, {o[0], o[1], y, x});
    if (found >= 0 && value <= largest) return;
    largest = value;
    found = op.order == StorageOrder::rows_first ? y * src[3] + x : x * src[2] + y;
  });
  return static_cast<long double>(found < 0 ? -1 : (o[0] * src[1] + o[1]) * src[2] * src[3] + found);
}

long double max_unpool_at(const Scope& s, const MaxUnpool& op, const Indices& o) {
  if (o[2] >= op.map_h || o[3] >= op.map_w) return 0;
  const Index wanted = ((o[0] * s.op.shape[1] + o[1]) * op.map_h + o[2]) * op.map_w + o[3];
  long double value = 0;
  for_each(s.shape(0), [&](const Indices& at) {
    if (static_cast<Index>(s.number(1, at)) == wanted) value = s.number(0, at);
  });
  return value;
}

// ---- samples ------------------------------------------------------------------------------------------------------

long double resize_at(const Scope& s, const Resize& op, const Indices& o) {
  std::vector<ResizeTaps> axes;
  Shape n_taps;
  for (std::size_t axis = 0; axis < o.size(); ++axis) {
    axes.push_back(resize_taps(op, axis, s.shape(0)[axis], s.op.shape[axis], o[axis]));
    n_taps.push_back(static_cast<Index>(axes.back().weights.size()));
    if (axes.back().outside) return op.extrapolation;
  }
  long double sum = 0;
  for_each(n_taps, [&](const Indices& tap) {
    long double weight = 1;
    Indices at = tap;
    for (std::size_t axis = 0; axis < tap.size(); ++axis) {
      at[axis] += axes[axis].first;
      weight *= axes[axis].weights[static_cast<std::size_t>(tap[axis])];
    }
    sum += weight * s.number(0, at);
  });
  return sum;
}

// Where a reflected axis of `size` cells has what would stand at `at`.
double reflected(double at, double least, double most) {
  if (most <= least) return 0;
  while (at < least || at > most) at = at < least ? 2 * least - at : 2 * most - at;
  return at;
}

double grid_place(const GridSample& op, double grid, Index size) {
  const auto n = static_cast<double>(size);
  const bool centres = op.corners == Corners::centres;
  const double at = centres ? (grid + 1) / 2 * (n - 1) : ((grid + 1) * n - 1) / 2;
  if (op.kind == SampleKind::cubic || op.border == SampleBorder::zeros) return at;
  if (op.border == SampleBorder::edge) return std::min(std::max(at, 0.0), n - 1);
  return centres ? reflected(at, 0, n - 1) : reflected(at, -0.5, n - 0.5);
}

// The cell that stands at (y, x), which may lie outside.
double grid_cell(const Scope& s, const GridSample& op, const Indices& o, Index y, Index x) {
  std::array<Index, 2> at = {y, x};
  for (std::size_t i = 0; i < 2; ++i) {
    const Index size = s.shape(0)[i + 2];
    if (at[i] >= 0 && at[i] < size) continue;
    if (op.border == SampleBorder::zeros) return 0;
    const auto n = static_cast<double>(size);
    const bool centres = op.corners == Corners::centres;
    const double mirrored = reflected(static_cast<double>(at[i]), centres ? 0 : -0.5, centres ? n - 1 : n - 0.5);
    at[i] = op.border == SampleBorder::edge ? std::clamp<Index>(at[i], 0, size - 1) : static_cast<Index>(mirrored);
  }
  return static_cast<double>(s.number(0, {o[0], o[1], at[0], at[1]}));
}

double grid_weight(SampleKind kind, double distance) {
  const double x = std::abs(distance);
  if (kind == SampleKind::linear) return std::max(1 - x, 0.0);
  constexpr double a = -0.75;
  if (x < 1) return (a + 2) * x * x * x - (a + 3) * x * x + 1;
  return x < 2 ? a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a : 0;
}

long double grid_sample_at(const Scope& s, const GridSample& op, const Indices& o) {
  const double x = grid_place(op, static_cast<double>(s.number(1, {o[0], o[2], o[3], 0})), s.shape(0)[3]);
  const double y = grid_place(op, static_cast<double>(s.number(1, {o[0], o[2], o[3], 1})), s.shape(0)[2]);
  if (op.kind == SampleKind::nearest)
    return grid_cell(s, op, o, static_cast<Index>(std::nearbyint(y)), static_cast<Index>(std::nearbyint(x)));
  double sum = 0;
  for (Index i = -1; i <= 2; ++i)
    for (Index j = -1; j <= 2; ++j) {
      const double cy = std::floor(y) + static_cast<double>(i);
      const double cx = std::floor(x) + static_cast<double>(j);
      const double weight = grid_weight(op.kind, cy - y) * grid_weight(op.kind, cx - x);
      if (weight != 0) sum += weight * grid_cell(s, op, o, static_cast<Index>(cy), static_cast<Index>(cx));
    }
  return sum;
}

// The four cells around a place times their weights; nothing far outside.
std::array<double, 4> around(const Scope& s, Index n, Index c, double y, double x) {
  const Index h = s.shape(0)[2];
  const Index w = s.shape(0)[3];
  if (y < -1 || y > static_cast<double>(h) || x < -1 || x > static_cast<double>(w)) return {};
  y = std::clamp(y, 0.0, static_cast<double>(h - 1));
  x = std::clamp(x, 0.0, static_cast<double>(w - 1));
  const double dy = y - std::floor(y);
  const double dx = x - std::floor(x);
  const auto at = [&](Index i, Index j) {
    const Index cy = std::min(static_cast<Index>(y) + i, h - 1);
    const Index cx = std::min(static_cast<Index>(x) + j, w - 1);
    return static_cast<double>(s.number(0, {n, c, cy, cx}));
  };
  return {(1 - dy) * (1 - dx) * at(0, 0), (1 - dy) * dx * at(0, 1), dy * (1 - dx) * at(1, 0), dy * dx * at(1, 1)};
}

long double roi_align_at(const Scope& s, const RoiAlign& op, const Indices& o) {
  const auto corner = [&](Index i) {
    return static_cast<double>(s.number(1, {o[0], i})) * op.spatial_scale - op.offset;
  };
  std::array<double, 2> bin{};  // along rows, along columns
  std::array<Index, 2> samples{};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto first = static_cast<Index>(1 - i);
    double size = corner(first + 2) - corner(first);
    if (op.offset == 0) size = std::max(size, 1.0);
    bin[i] = size / static_cast<double>(s.op.shape[i + 2]);
    samples[i] = op.sampling_ratio > 0 ? op.sampling_ratio : static_cast<Index>(std::ceil(bin[i]));
  }
  const auto n = static_cast<Index>(s.number(2, {o[0]}));
  double sum = 0;
  std::optional<double> largest;
  for (Index i = 0; i < samples[0]; ++i)
    for (Index j = 0; j < samples[1]; ++j) {
      const auto place = [&](std::size_t axis, Index sample) {
        return (static_cast<double>(o[axis + 2]) +
                (static_cast<double>(sample) + 0.5) / static_cast<double>(samples[axis])) *
               bin[axis];
      };
      for (const double part : around(s, n, o[1], corner(1) + place(0, i), corner(0) + place(1, j))) {
        sum += part;
        largest = largest ? std::max(*largest, part) : part;
      }
    }
  if (op.kind == RoiKind::max) return largest.value_or(0);
  return sum / static_cast<double>(std::max<Index>(samples[0] * samples[1], 1));
}

}  // namespace

std::optional<long double> window_at(const Scope& s, const Indices& o) {
  if (const auto* op = as<DepthToSpace>(s.op)) return depth_to_space_at(s, *op, o);
  if (const auto* op = as<SpaceToDepth>(s.op)) return space_to_depth_at(s, *op, o);
  if (const auto* op = as<BorderPad>(s.op)) return border_pad_at(s, *op, o);
  if (const auto* op = as<PoolNd>(s.op)) return pool_nd_at(s, *op, o);
  if (const auto* op = as<ConvNd>(s.op)) return conv_nd_at(s, *op, o);
  if (const auto* op = as<PoolIndices>(s.op)) return pool_indices_at(s, *op, o);
  if (const auto* op = as<MaxUnpool>(s.op)) return max_unpool_at(s, *op, o);
  if (const auto* op = as<Resize>(s.op)) return resize_at(s, *op, o);
  if (const auto* op = as<GridSample>(s.op)) return grid_sample_at(s, *op, o);
  if (const auto* op = as<RoiAlign>(s.op)) return roi_align_at(s, *op, o);
  return std::nullopt;
}

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
// Fully connected layers: convolutions whose kernel is the whole map. They stream their weights from memory once a
// frame, so the weights are held once only: turned in place from the model's order into that of the map, or into rows
// of bfloat16, then only those of the channels that are computed. Layers of few inputs have them in panels instead.

#include <algorithm>
#include <array>
#include <vector>

#include "core/number_types.hpp"
#include "kernels/finish.hpp"
#include "kernels/lane.hpp"
#include "kernels/makers.hpp"
#include "kernels/multiversion.hpp"

namespace strake::kernels {

namespace {

constexpr Index lanes = 32;
constexpr Index rows_at_once = 8;  // of one thread
// Of the weights, which come from memory: processors look ahead no further than a page.
constexpr Index bytes_ahead = 4096;

// Adds lanes in a fixed tree.
inline float sum_of(float* lane) {
  for (Index width = lanes / 2; width > 0; width /= 2)
    for (Index i = 0; i < width; ++i) lane[i] += lane[i + width];
  return lane[0];
}

inline float wide(float value) { return value; }
inline float wide(std::uint16_t bits) { return bfloat_to_float(bits); }

// Asks for what lies `bytes_ahead` of the next n weights.
template <class Weight>
[[gnu::always_inline]] inline void expect_soon(const Weight* w, Index n) {
  constexpr Index line_bytes = 64;
  const char* ahead = reinterpret_cast<const char*>(w) + bytes_ahead;
  for (Index i = 0; i < n * static_cast<Index>(sizeof(Weight)); i += line_bytes) __builtin_prefetch(ahead + i, 0, 2);
}

// out[r] = dot product of x and row r of w. One row after the other: memory is read twice as fast in one stream as in
// four. Each row's order of additions depends on k only.
template <class Weight>
[[gnu::always_inline]] inline void dot_rows_of(const float* x, const Weight* w, Index k, Index n_rows, float* out) {
  const Index whole_lanes = k / lanes * lanes;
  for (Index r = 0; r < n_rows; ++r) {
    const Weight* row = w + r * k;
    float sums[lanes] = {};
    for (Index i = 0; i < whole_lanes; i += lanes) {
      expect_soon(row + i, lanes);
      for (Index l = 0; l < lanes; ++l) sums[l] += x[i + l] * wide(row[i + l]);
    }
    for (Index i = whole_lanes; i < k; ++i) sums[i - whole_lanes] += x[i] * wide(row[i]);
    out[r] = sum_of(sums);
  }
}

STRAKE_MULTIVERSION void dot_rows(const float* x, const float* w, Index k, Index n_rows, float* out) {
  dot_rows_of(x, w, k, n_rows, out);
}
STRAKE_MULTIVERSION void dot_rows(const float* x, const std::uint16_t* w, Index k, Index n_rows, float* out) {
  dot_rows_of(x, w, k, n_rows, out);
}

// ---- few inputs ---------------------------------------------------------------------------------------------------

// Where a dot product would mostly add up its lanes: the layers that widen again behind a squeeze.
constexpr Index most_inputs = 256;
constexpr Index most_panel_bytes = 1024 * 1024;  // the model's weights stay until all kernels have theirs
constexpr Index panel_lanes = 4;
constexpr Index panel = panel_lanes * lane_floats;  // outputs at once

// out[j] = sum over i of x[i] w(i, j), in the order of i.
template <class L>
STRAKE_LANE_FUNCTION void add_inputs_with(const float* x, const float* w, Index k, float* out) {
  L sums[panel_lanes] = {};
  for (Index i = 0; i < k; ++i, w += panel) {
    expect_soon(w, panel);
#pragma GCC unroll 4
    for (Index l = 0; l < panel_lanes; ++l) {
      L weights;
      load(w + l * lane_floats, weights);
      add_product(x[i], weights, sums[l]);
    }
  }
#pragma GCC unroll 4
  for (Index l = 0; l < panel_lanes; ++l) store(sums[l], out + l * lane_floats);
}
STRAKE_BY_LANE(add_inputs, (const float* x, const float* w, Index k, float* out), (x, w, k, out))

// (panels, c * pixels, panel) of rows of (c, pixels), gaps zero.
void pack_panels(const float* from, Index n_rows, Index c, Index pixels, float* to) {
  for (Index first = 0; first < n_rows; first += panel)
    for (Index p = 0; p < pixels; ++p)
      for (Index i = 0; i < c; ++i)
        for (Index row = first; row < first + panel; ++row)
          *to++ = row < n_rows ? from[(row * c + i) * pixels + p] : 0.0F;
}

// ---- the weights' forms -------------------------------------------------------------------------------------------

// Rows of (c, pixels) at `from` become rows of (pixels, c) at `to`, which may be the same place.
template <class Weight>
void turn_rows(const float* from, Weight* to, Index n_rows, Index c, Index pixels) {
#pragma omp parallel
  {
    std::vector<float> row(static_cast<std::size_t>(c * pixels));
#pragma omp for schedule(static)
    for (Index m = 0; m < n_rows; ++m) {
      const float* values = from + m * c * pixels;
      for (Index i = 0; i < c; ++i)
        for (Index p = 0; p < pixels; ++p) row[static_cast<std::size_t>(p * c + i)] = values[i * pixels + p];
      std::transform(row.begin(), row.end(), to + m * c * pixels, [](float value) {
        if constexpr (std::is_same_v<Weight, float>)
          return value;
        else
          return float_to_bfloat(value);
      });
    }
  }
}

class FullyConnected final : public Kernel {
 public:
  explicit FullyConnected(const MakeContext& context)
      : src_(context.request.src.front()),
        dst_(context.request.dst),
        storage_(context.weights.storage()),
        post_ops_(as<Conv>(context.op())->post_ops) {
    const Conv& conv = *as<Conv>(context.op());
    const Shape& map = context.src_shape(0);
    k_ = map[1] * map[2] * map[3];
    const Index n_rows = context.op().shape[1];
    in_panels_ = storage_ == WeightStorage::f32 && k_ <= most_inputs &&
                 k_ * n_rows * static_cast<Index>(sizeof(float)) <= most_panel_bytes;
    if (in_panels_)
      hold_panels(context, conv.weights, n_rows, map[1], map[2] * map[3]);
    else
      hold_rows(context, conv.weights, map[1], map[2] * map[3]);
    if (conv.bias != no_weight)
      bias_ = std::make_shared<Blob>(Blob::copy_of(context.weights.original(conv.bias).floats()));
  }

  void run() override {
    const Interval channels = dst_.box[1];
    const Index step = in_panels_ ? panel : rows_at_once;
    const Index begin = channels.begin / step * step;  // panels begin where they were packed
    const Index blocks = (channels.end - begin + step - 1) / step;
#pragma omp parallel for schedule(static)
    for (Index block = 0; block < blocks; ++block) {
      const Interval computed = intersect({begin + block * step, begin + (block + 1) * step}, channels);
      for (Index n = 0; n < dst_.box[0].size(); ++n) compute(n, computed);
    }
  }

  [[nodiscard]] std::string implementation() const override {
    return storage_ == WeightStorage::bf16 ? "own_fully_connected:bf16" : "own_fully_connected";
  }

 private:
  void hold_panels(const MakeContext& context, WeightId id, Index n_rows, Index c, Index pixels) {
    const std::string form = "panels of rows";
    weights_ = context.weights.prepared(id, form);
    if (weights_) return;
    const Index floats = (n_rows + panel - 1) / panel * panel * k_;
    weights_ = std::make_shared<Blob>(context.weights.allocate(static_cast<std::size_t>(floats) * sizeof(float)));
    pack_panels(context.weights.original(id).floats().data(), n_rows, c, pixels, weights_->floats().data());
    context.weights.keep(id, form, weights_);
  }

  // Finds or makes the rows of this kernel's channels. All rows serve as well where somebody has them.
  void hold_rows(const MakeContext& context, WeightId id, Index c, Index pixels) {
    const std::string form = storage_ == WeightStorage::bf16 ? "rows of bf16" : "rows";
    Interval channels = {0, context.op().shape[1]};
    weights_ = context.weights.prepared(id, form);
    if (!weights_ && channels != dst_.box[1] && storage_ == WeightStorage::bf16) {
      channels = dst_.box[1];
      const std::string part = form + " " + std::to_string(channels.begin) + ".." + std::to_string(channels.end);
      weights_ = context.weights.prepared(id, part);
      if (!weights_) context.weights.keep(id, part, weights_ = narrow_rows(context, id, channels, c, pixels));
    } else if (!weights_ && storage_ == WeightStorage::bf16) {
      context.weights.keep(id, form, weights_ = narrow_rows(context, id, channels, c, pixels));
    } else if (!weights_) {
      weights_ = std::make_shared<Blob>(context.weights.take(id));
      if (c > 1 && pixels > 1)
        turn_rows(weights_->floats().data(), weights_->floats().data(), channels.size(), c, pixels);
      context.weights.keep(id, form, weights_);
    }
    first_row_ = channels.begin;
  }

  [[nodiscard]] std::shared_ptr<Blob> narrow_rows(const MakeContext& context, WeightId id, Interval channels, Index c,
                                                  Index pixels) const {
    const Blob original = context.weights.original(id);
    const float* from = original.floats().data() + channels.begin * k_;
    const auto n = static_cast<std::size_t>(channels.size() * k_);
    auto rows = std::make_shared<Blob>(context.weights.allocate(n * sizeof(std::uint16_t)));
    turn_rows(from, reinterpret_cast<std::uint16_t*>(rows->data()), channels.size(), c, pixels);
    return rows;
  }

  void compute(Index n, Interval channels) const {
    alignas(64) std::array<float, panel> sums{};
    const float* x = src_.floats() + n * src_.strides[0];
    float* computed = sums.data();
    if (in_panels_) {
      const Index first = channels.begin / panel * panel;
      add_inputs(x, weights_->floats().data() + first * k_, k_, computed);
      computed += channels.begin - first;
    } else {
      const Index skipped = (channels.begin - first_row_) * k_;
      if (storage_ == WeightStorage::bf16)
        dot_rows(x, reinterpret_cast<const std::uint16_t*>(weights_->data()) + skipped, k_, channels.size(), computed);
      else
        dot_rows(x, weights_->floats().data() + skipped, k_, channels.size(), computed);
    }
    if (bias_)
      for (Index r = 0; r < channels.size(); ++r) computed[r] += bias_->floats().data()[channels.begin + r];
    float* out = dst_.floats() + n * dst_.strides[0] + (channels.begin - dst_.box[1].begin);
    finish_pixel(post_ops_, computed, channels.size(), out);
  }

  View src_;
  View dst_;
  WeightStorage storage_;
  std::vector<PostOp> post_ops_;
  Index k_ = 0;
  bool in_panels_ = false;
  Index first_row_ = 0;  // of those in `weights_`
  std::shared_ptr<Blob> weights_;
  std::shared_ptr<Blob> bias_;
};

}  // namespace

bool is_fully_connected(const MakeContext& context) {
  const Conv& conv = *as<Conv>(context.op());
  const Shape& src = context.src_shape(0);
  const auto covers = [](const WindowAxis& axis, Index size) {
    return axis.kernel == size && axis.dilation == 1 && axis.pad_begin == 0 && axis.pad_end == 0;
  };
  // One image of the source must lie in one run. Steps along axes of one cell say nothing.
  const View& view = context.request.src.front();
  const auto steps = [&](std::size_t axis, Index by) { return src[axis] == 1 || view.strides[axis] == by; };
  const bool gapless = steps(1, 1) && steps(3, src[1]) && steps(2, src[1] * src[3]);
  return conv.groups == 1 && covers(conv.window.h, src[2]) && covers(conv.window.w, src[3]) && gapless;
}

KernelPtr make_fully_connected(const MakeContext& context) { return std::make_unique<FullyConnected>(context); }

}  // namespace strake::kernels

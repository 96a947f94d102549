// SPDX-License-Identifier: Apache-2.0
// Fully connected layers: convolutions whose kernel is the whole map. They stream their weights from memory once a
// frame, so the weights are held once only: turned in place from the model's order into that of the map.

#include <algorithm>
#include <array>
#include <vector>

#include "kernels/activation.hpp"
#include "kernels/makers.hpp"
#include "kernels/multiversion.hpp"

namespace strake::kernels {

namespace {

constexpr Index lanes = 32;
constexpr Index rows_at_once = 4;  // streams of memory

// Adds lanes in a fixed tree.
inline float sum_of(float* lane) {
  for (Index width = lanes / 2; width > 0; width /= 2)
    for (Index i = 0; i < width; ++i) lane[i] += lane[i + width];
  return lane[0];
}

// out[r] = dot product of x and row r of w, for up to `rows_at_once` rows. Each row's order of additions depends on k
// only.
STRAKE_MULTIVERSION void dot_rows(const float* x, const float* w, Index k, Index n_rows, float* out) {
  float sums[rows_at_once][lanes] = {};
  const Index whole_lanes = k / lanes * lanes;
  if (n_rows == rows_at_once) {
    for (Index i = 0; i < whole_lanes; i += lanes)
      for (Index r = 0; r < rows_at_once; ++r)
        for (Index l = 0; l < lanes; ++l) sums[r][l] += x[i + l] * w[r * k + i + l];
  } else {
    for (Index r = 0; r < n_rows; ++r)
      for (Index i = 0; i < whole_lanes; i += lanes)
        for (Index l = 0; l < lanes; ++l) sums[r][l] += x[i + l] * w[r * k + i + l];
  }
  for (Index r = 0; r < n_rows; ++r) {
    for (Index i = whole_lanes; i < k; ++i) sums[r][i - whole_lanes] += x[i] * w[r * k + i];
    out[r] = sum_of(sums[r]);
  }
}

// Rows of (c, pixels) become rows of (pixels, c).
void turn_rows(float* w, Index n_rows, Index c, Index pixels) {
  if (c == 1 || pixels == 1) return;
#pragma omp parallel
  {
    std::vector<float> row(static_cast<std::size_t>(c * pixels));
#pragma omp for schedule(static)
    for (Index m = 0; m < n_rows; ++m) {
      float* values = w + m * c * pixels;
      for (Index i = 0; i < c; ++i)
        for (Index p = 0; p < pixels; ++p) row[static_cast<std::size_t>(p * c + i)] = values[i * pixels + p];
      std::copy(row.begin(), row.end(), values);
    }
  }
}

class FullyConnected final : public Kernel {
 public:
  explicit FullyConnected(const MakeContext& context)
      : src_(context.request.src.front()), dst_(context.request.dst), post_ops_(as<Conv>(context.op())->post_ops) {
    const Conv& conv = *as<Conv>(context.op());
    const Shape& map = context.src_shape(0);
    k_ = map[1] * map[2] * map[3];
    weights_ = context.weights.prepared(conv.weights, "rows");
    if (!weights_) {
      weights_ = std::make_shared<Blob>(context.weights.take(conv.weights));
      turn_rows(weights_->floats().data(), context.op().shape[1], map[1], map[2] * map[3]);
      context.weights.keep(conv.weights, "rows", weights_);
    }
    if (conv.bias != no_weight)
      bias_ = std::make_shared<Blob>(Blob::copy_of(context.weights.original(conv.bias).floats()));
  }

  void run() override {
    const Interval channels = dst_.box[1];
    const Index blocks = (channels.size() + rows_at_once - 1) / rows_at_once;
#pragma omp parallel for schedule(static)
    for (Index block = 0; block < blocks; ++block) {
      const Index first = channels.begin + block * rows_at_once;
      const Index n_rows = std::min(rows_at_once, channels.end - first);
      for (Index n = 0; n < dst_.box[0].size(); ++n) compute(n, first, n_rows);
    }
  }

  [[nodiscard]] std::string implementation() const override { return "own_fully_connected"; }

 private:
  void compute(Index n, Index first, Index n_rows) const {
    std::array<float, rows_at_once> sums{};
    dot_rows(src_.floats() + n * src_.strides[0], weights_->floats().data() + first * k_, k_, n_rows, sums.data());
    float* out = dst_.floats() + n * dst_.strides[0] + (first - dst_.box[1].begin);
    for (Index r = 0; r < n_rows; ++r)
      if (bias_) sums[static_cast<std::size_t>(r)] += bias_->floats()[static_cast<std::size_t>(first + r)];
    for (const PostOp& post_op : post_ops_) {
      if (const auto* function = std::get_if<Activation>(&post_op)) {
        apply(*function, sums.data(), sums.data(), n_rows);
      } else {
        for (Index r = 0; r < n_rows; ++r) sums[static_cast<std::size_t>(r)] += out[r];
      }
    }
    std::copy_n(sums.data(), n_rows, out);
  }

  View src_;
  View dst_;
  std::vector<PostOp> post_ops_;
  Index k_ = 0;
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

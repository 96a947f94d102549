// SPDX-License-Identifier: Apache-2.0
// A convolution of our own, for shapes that the library has no trustworthy or no fast kernel for: NHWC, vectorised over
// output channels. Products of one output are added in the order row, column, channel of the kernel, whatever the slab.

#include <algorithm>
#include <vector>

#include "kernels/activation.hpp"
#include "kernels/conv_geometry.hpp"
#include "kernels/multiversion.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

// out[m] += x[i] * w[i][m] for all input channels i of the group.
STRAKE_MULTIVERSION void add_products(const float* x, const float* w, float* out, Index n_in, Index n_out) {
  for (Index i = 0; i < n_in; ++i) {
    const float value = x[i];
    const float* row = w + i * n_out;
    for (Index m = 0; m < n_out; ++m) out[m] += value * row[m];
  }
}

// (groups, kh, kw, ic, oc) from (oc, ic, kh, kw).
std::shared_ptr<Blob> packed(const MakeContext& context, const ConvGeometry& g) {
  const WeightId id = as<Conv>(context.op())->weights;
  if (std::shared_ptr<Blob> known = context.weights.prepared(id, "own")) return known;
  const Blob original = context.weights.original(id);
  const float* from = original.floats().data();
  auto values = std::make_shared<Blob>(Blob::allocate(original.size_bytes()));
  float* to = values->floats().data();
  const Index n_out = g.oc / g.groups;
  const Index n_in = g.ic / g.groups;
  const Index taps = g.h.kernel * g.w.kernel;
  for (Index m = 0; m < g.oc; ++m)
    for (Index i = 0; i < n_in; ++i)
      for (Index tap = 0; tap < taps; ++tap)
        to[((m / n_out * taps + tap) * n_in + i) * n_out + m % n_out] = from[(m * n_in + i) * taps + tap];
  context.weights.keep(id, "own", values);
  return values;
}

class OwnConv final : public Kernel {
 public:
  explicit OwnConv(const MakeContext& context)
      : src_(context.request.src.front()),
        dst_(context.request.dst),
        post_ops_(as<Conv>(context.op())->post_ops),
        channels_(dst_.box[1]) {
    const Conv& conv = *as<Conv>(context.op());
    if (src_.box.empty()) src_.box = dst_.box;  // read nowhere; sizes only have to exist
    g_ = geometry_of(context, src_.box, dst_.box);
    reads_nothing_ = context.request.src.front().box.empty();
    weights_ = packed(context, g_);
    if (conv.bias != no_weight)
      bias_ = std::make_shared<Blob>(Blob::copy_of(context.weights.original(conv.bias).floats()));
  }

  void run() override {
    const Index rows = g_.n * g_.oh;
#pragma omp parallel for schedule(static) if (rows * g_.ow * channels_.size() > parallel_floats)
    for (Index row = 0; row < rows; ++row) compute_row(row / g_.oh, row % g_.oh);
  }

  [[nodiscard]] std::string implementation() const override { return "own_conv"; }

 private:
  void compute_row(Index n, Index y) const {
    thread_local std::vector<float> sums;  // grows once per thread
    sums.resize(std::max(sums.size(), static_cast<std::size_t>(g_.oc)));
    for (Index x = 0; x < g_.ow; ++x) {
      std::fill(sums.begin(), sums.end(), 0.0F);
      if (!reads_nothing_) add_window(n, y, x, sums.data());
      float* out = dst_.floats() + n * dst_.strides[0] + y * dst_.strides[2] + x * dst_.strides[3];
      store(sums.data() + channels_.begin, out);
    }
  }

  void add_window(Index n, Index y, Index x, float* sums) const {
    const Index n_out = g_.oc / g_.groups;
    const Index n_in = g_.ic / g_.groups;
    const Index first_group = channels_.begin / n_out;
    const Index last_group = (channels_.end - 1) / n_out;
    for (Index ky = 0; ky < g_.h.kernel; ++ky) {
      const Index sy = y * g_.h.stride - g_.h.pad_begin + ky * g_.h.dilation;
      if (sy < 0 || sy >= g_.ih) continue;
      for (Index kx = 0; kx < g_.w.kernel; ++kx) {
        const Index sx = x * g_.w.stride - g_.w.pad_begin + kx * g_.w.dilation;
        if (sx < 0 || sx >= g_.iw) continue;
        const float* pixel = src_.floats() + n * src_.strides[0] + sy * src_.strides[2] + sx * src_.strides[3];
        for (Index group = first_group; group <= last_group; ++group) {
          const Index tap = (group * g_.h.kernel + ky) * g_.w.kernel + kx;
          add_products(pixel + group * n_in - src_.box[1].begin, weights_->floats().data() + tap * n_in * n_out,
                       sums + group * n_out, n_in, n_out);
        }
      }
    }
  }

  // Bias and post-ops, one pixel at a time.
  void store(float* sums, float* out) const {
    const Index n = channels_.size();
    if (bias_) {
      const float* bias = bias_->floats().data() + channels_.begin;
      for (Index m = 0; m < n; ++m) sums[m] += bias[m];
    }
    for (const PostOp& post_op : post_ops_) {
      if (const auto* function = std::get_if<Activation>(&post_op)) {
        apply(*function, sums, sums, n);
      } else {
        for (Index m = 0; m < n; ++m) sums[m] += out[m];
      }
    }
    std::copy_n(sums, n, out);
  }

  View src_;
  View dst_;
  std::vector<PostOp> post_ops_;
  Interval channels_;
  ConvGeometry g_;
  bool reads_nothing_ = false;
  std::shared_ptr<Blob> weights_;
  std::shared_ptr<Blob> bias_;
};

}  // namespace

KernelPtr make_own_conv(const MakeContext& context) { return std::make_unique<OwnConv>(context); }

}  // namespace strake::kernels

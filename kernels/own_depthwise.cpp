// SPDX-License-Identifier: Apache-2.0
// A depthwise convolution of our own, for where the library has no trustworthy or no fast kernel: NHWC, vectorised over
// channels. Products of one output are added in the order row, column of the kernel, whatever the slab.

#include <algorithm>
#include <array>
#include <vector>

#include "kernels/depthwise_weights.hpp"
#include "kernels/finish.hpp"
#include "kernels/multiversion.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

constexpr Index pixels = 4;  // of one row that are computed together
constexpr Index most_taps = 13 * 13;

using Places = std::array<const float*, most_taps * pixels>;  // [tap][pixel]: where its channels lie
using Sums = std::array<float, (pixels + 1) * lane_floats>;   // [pixel][channel]; a lane can be read at every channel

template <class L, bool whole_lane>
STRAKE_LANE_FUNCTION void add(const float* const* places, const float* w, Index w_step, Index n_taps, Index channel,
                              Index n, float* sums) {
  L all[pixels] = {};
  for (Index tap = 0; tap < n_taps; ++tap, places += pixels, w += w_step) {
    L weight;
    load(w, weight);
#pragma GCC unroll 4
    for (Index p = 0; p < pixels; ++p) {
      L x;
      if constexpr (whole_lane) {
        load(places[p] + channel, x);
      } else {
        load(places[p] + channel, n, x);
      }
      add_product(weight, x, all[p]);
    }
  }
#pragma GCC unroll 4
  for (Index p = 0; p < pixels; ++p) store(all[p], sums + p * lane_floats);
}

// sums[p][m] = sum over taps of x[tap][p][channel + m] * w[tap][m], for n channels.
template <class L>
STRAKE_LANE_FUNCTION void add_taps_with(const float* const* places, const float* w, Index w_step, Index n_taps,
                                        Index channel, Index n, float* sums) {
  if (n == lane_floats) {
    add<L, true>(places, w, w_step, n_taps, channel, n, sums);
  } else {
    add<L, false>(places, w, w_step, n_taps, channel, n, sums);
  }
}
STRAKE_BY_LANE(add_taps,
               (const float* const* places, const float* w, Index w_step, Index n_taps, Index channel, Index n,
                float* sums),
               (places, w, w_step, n_taps, channel, n, sums))

template <class L>
STRAKE_LANE_FUNCTION void finish_pixels_with(const float* sums, const Finish& finish, Index n_pixels, float* dst,
                                             Index dst_step, Index n) {
  for (Index p = 0; p < n_pixels; ++p) {
    L value;
    load(sums + p * lane_floats, value);
    finish_lane(value, finish, finish.bias, dst + p * dst_step, n);
  }
}
STRAKE_BY_LANE(finish_pixels,
               (const float* sums, const Finish& finish, Index n_pixels, float* dst, Index dst_step, Index n),
               (sums, finish, n_pixels, dst, dst_step, n))

class OwnDepthwise final : public Kernel {
 public:
  explicit OwnDepthwise(const MakeContext& context)
      : src_(context.request.src.front()),
        dst_(context.request.dst),
        post_ops_(as<Conv>(context.op())->post_ops),
        simple_(simple_finish(post_ops_)),
        bias_(padded_bias(context, dst_.box[1])) {
    reads_nothing_ = src_.box.empty();
    if (reads_nothing_) src_.box = dst_.box;  // only has to exist
    g_ = geometry_of(context, src_.box, dst_.box);
    zeros_.assign(static_cast<std::size_t>(g_.out_channels.size()), 0.0F);
    weights_ = depthwise_weights(context, g_);
  }

  void run() override {
    const Index rows = g_.n * g_.oh;
#pragma omp parallel for schedule(static) if (rows * g_.ow * g_.out_channels.size() > parallel_floats)
    for (Index row = 0; row < rows; ++row)
      for (Index x = 0; x < g_.ow; x += pixels) compute(row / g_.oh, row % g_.oh, x);
  }

  [[nodiscard]] std::string implementation() const override { return "own_depthwise"; }

 private:
  // All channels of the pixels from `x` on.
  void compute(Index n, Index y, Index x) const {
    Places places;
    const Index taps = g_.h.kernel * g_.w.kernel;
    for (Index tap = 0; tap < taps; ++tap)
      for (Index p = 0; p < pixels; ++p)
        places[static_cast<std::size_t>(tap * pixels + p)] = place(n, y, x + p, tap / g_.w.kernel, tap % g_.w.kernel);
    const Index n_pixels = std::min(pixels, g_.ow - x);
    float* out = dst_.floats() + n * dst_.strides[0] + y * dst_.strides[2] + x * dst_.strides[3];
    const Index all = g_.out_channels.size();
    const float* weights = weights_->floats().data() + g_.out_channels.begin;
    alignas(64) Sums sums{};
    for (Index channel = 0; channel < all; channel += lane_floats) {
      const Index n_channels = std::min(lane_floats, all - channel);
      // The last lane begins earlier, so that it is whole: the channels before `channel` are not stored again.
      const Index first = std::min(channel, std::max<Index>(all - lane_floats, 0));
      add_taps(places.data(), weights + first, depthwise_step(g_), taps, first, std::min(lane_floats, all),
               sums.data());
      float* made = sums.data() + (channel - first);
      if (simple_) {
        Finish finish = *simple_;
        finish.bias = bias_.data() + channel;
        finish_pixels(made, finish, n_pixels, out + channel, dst_.strides[3], n_channels);
      } else {
        for (Index p = 0; p < n_pixels; ++p)
          store(made + p * lane_floats, channel, n_channels, out + p * dst_.strides[3] + channel);
      }
    }
  }

  // Where the channels of one tap lie; zeros for the padding, so that it costs no other order of additions.
  [[nodiscard]] const float* place(Index n, Index y, Index x, Index ky, Index kx) const {
    const float* cell = reads_nothing_ ? nullptr : read_cell(g_, src_, n, y, x, ky, kx);
    return cell == nullptr ? zeros_.data() : cell;
  }

  // Bias and post-ops of any kind for n channels of one pixel.
  void store(float* sums, Index channel, Index n, float* out) const {
    for (Index m = 0; m < n; ++m) sums[m] += bias_[static_cast<std::size_t>(channel + m)];
    finish_pixel(post_ops_, sums, n, out);
  }

  View src_;
  View dst_;
  std::vector<PostOp> post_ops_;
  std::optional<Finish> simple_;
  ConvGeometry g_;
  bool reads_nothing_ = false;
  std::vector<float> bias_;
  std::vector<float> zeros_;  // a pixel of the padding
  std::shared_ptr<Blob> weights_;
};

}  // namespace

std::shared_ptr<Blob> depthwise_weights(const MakeContext& context, const ConvGeometry& g) {
  const WeightId id = as<Conv>(context.op())->weights;
  if (std::shared_ptr<Blob> known = context.weights.prepared(id, "depthwise")) return known;
  const Blob original = context.weights.original(id);
  const Index taps = g.h.kernel * g.w.kernel;
  const Index step = depthwise_step(g);
  auto values = std::make_shared<Blob>(context.weights.allocate(static_cast<std::size_t>(taps * step) * sizeof(float)));
  std::ranges::fill(values->floats(), 0.0F);
  for (Index m = 0; m < g.oc; ++m)
    for (Index tap = 0; tap < taps; ++tap)
      values->floats()[static_cast<std::size_t>(tap * step + m)] =
          original.floats()[static_cast<std::size_t>(m * taps + tap)];
  context.weights.keep(id, "depthwise", values);
  return values;
}

bool can_depthwise(const MakeContext& context) {
  const Conv& conv = *as<Conv>(context.op());
  return conv.groups > 1 && conv.groups == context.src_shape(0)[1] && conv.groups == context.op().shape[1] &&
         conv.window.h.kernel * conv.window.w.kernel <= most_taps;
}

KernelPtr make_depthwise(const MakeContext& context) { return std::make_unique<OwnDepthwise>(context); }

}  // namespace strake::kernels

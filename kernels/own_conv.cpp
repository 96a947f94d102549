// SPDX-License-Identifier: Apache-2.0
// A convolution of our own, for shapes that the library has no trustworthy or no fast kernel for: NHWC, vectorised over
// output channels. Products of one output are added in the order row, column, channel of the kernel, whatever the slab.

#include <algorithm>
#include <array>
#include <vector>

#include "kernels/conv_geometry.hpp"
#include "kernels/finish.hpp"
#include "kernels/lane.hpp"
#include "kernels/multiversion.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

constexpr Index block = lane_floats;  // output channels that are computed together, of one group; gaps are zero
constexpr Index most_taps = 64;       // in one call of `add_taps`

// Pixels of one row that are computed together. On arm64 all have their sums in registers: 20 of NEON's, four for
// weights and one for each pixel.
#if defined(__aarch64__)
constexpr Index pixels = 5;
#else
constexpr Index pixels = 8;
#endif

// As many of them have their sums in registers at a time: with AVX2 and SSE eight of sixteen registers.
template <class L>
constexpr Index pixels_in_registers = pixels;
#if !defined(__aarch64__)
template <>
constexpr Index pixels_in_registers<Lane256> = 4;
template <>
constexpr Index pixels_in_registers<Lane128> = 2;
#endif

using Sums = std::array<std::array<float, block>, pixels>;

// sums[p][m] += x[tap][p][i] * w[tap][i][m], by tap, then by i.
template <class L>
STRAKE_LANE_FUNCTION void add_taps_with(const float* const* x, const float* w, Index n_taps, Index n_in, float* sums) {
  constexpr Index n_pixels = pixels_in_registers<L>;
  for (Index first = 0; first < pixels; first += n_pixels) {
    L all[n_pixels];
#pragma GCC unroll 8
    for (Index p = 0; p < n_pixels; ++p) load(sums + (first + p) * block, all[p]);
    const float* row_of_w = w;
    for (Index tap = 0; tap < n_taps; ++tap) {
      const float* const* x_of_tap = x + tap * pixels + first;
      for (Index i = 0; i < n_in; ++i, row_of_w += block) {
        L row;
        load(row_of_w, row);
#pragma GCC unroll 8
        for (Index p = 0; p < n_pixels; ++p) add_product(x_of_tap[p][i], row, all[p]);
      }
    }
#pragma GCC unroll 8
    for (Index p = 0; p < n_pixels; ++p) store(all[p], sums + (first + p) * block);
  }
}
STRAKE_BY_LANE(add_taps, (const float* const* x, const float* w, Index n_taps, Index n_in, float* sums),
               (x, w, n_taps, n_in, sums))

// (groups, blocks, kh, kw, ic, block) from (oc, ic, kh, kw).
std::shared_ptr<Blob> packed(const MakeContext& context, const ConvGeometry& g) {
  const WeightId id = as<Conv>(context.op())->weights;
  if (std::shared_ptr<Blob> known = context.weights.prepared(id, "own")) return known;
  const Blob original = context.weights.original(id);
  const float* from = original.floats().data();
  const Index n_out = g.oc / g.groups;
  const Index n_in = g.ic / g.groups;
  const Index taps = g.h.kernel * g.w.kernel;
  const Index blocks = (n_out + block - 1) / block;
  const Index n_floats = g.groups * blocks * taps * n_in * block;
  auto values = std::make_shared<Blob>(Blob::allocate(static_cast<std::size_t>(n_floats) * sizeof(float)));
  std::ranges::fill(values->floats(), 0.0F);
  float* to = values->floats().data();
  for (Index m = 0; m < g.oc; ++m) {
    const Index first = (m / n_out * blocks + m % n_out / block) * taps;
    for (Index i = 0; i < n_in; ++i)
      for (Index tap = 0; tap < taps; ++tap)
        to[((first + tap) * n_in + i) * block + m % n_out % block] = from[(m * n_in + i) * taps + tap];
  }
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
    reads_nothing_ = src_.box.empty();
    if (reads_nothing_) src_.box = dst_.box;  // only has to exist
    g_ = geometry_of(context, src_.box, dst_.box);
    zeros_.assign(static_cast<std::size_t>(g_.ic / g_.groups), 0.0F);
    weights_ = packed(context, g_);
    if (conv.bias != no_weight)
      bias_ = std::make_shared<Blob>(Blob::copy_of(context.weights.original(conv.bias).floats()));
  }

  void run() override {
    const Index rows = g_.n * g_.oh;
    const Index n_out = g_.oc / g_.groups;
    const Index blocks = (n_out + block - 1) / block;
    const Index all_blocks = g_.groups * blocks;
    // Weights of a block stay in the caches for all rows, except where many groups would each pass over the whole slab.
    const bool rows_first = g_.groups > 1;
#pragma omp parallel for schedule(static) if (rows * g_.ow * channels_.size() > parallel_floats)
    for (Index piece = 0; piece < rows * all_blocks; ++piece) {
      const Index row = rows_first ? piece / all_blocks : piece % rows;
      const Index at = rows_first ? piece % all_blocks : piece / rows;
      const Index first = at / blocks * n_out + at % blocks * block;
      const Interval made{first, std::min(first + block, (at / blocks + 1) * n_out)};
      const Interval wanted = intersect(made, channels_);
      if (wanted.empty()) continue;
      for (Index x = 0; x < g_.ow; x += pixels) compute(row / g_.oh, row % g_.oh, x, at, made.begin, wanted);
    }
  }

  [[nodiscard]] std::string implementation() const override { return "own_conv"; }

 private:
  // The pixels from `x` on, and the channels `wanted` of the block numbered `at`, which begins at channel `first`.
  void compute(Index n, Index y, Index x, Index at, Index first, Interval wanted) const {
    alignas(64) Sums sums{};
    std::array<const float*, most_taps * pixels> places;
    const Index n_in = g_.ic / g_.groups;
    const Index taps = g_.h.kernel * g_.w.kernel;
    const Index channel = first / (g_.oc / g_.groups) * n_in - src_.box[1].begin;
    const float* weights = weights_->floats().data() + at * taps * n_in * block;
    for (Index begin = 0; begin < taps; begin += most_taps) {
      const Index n_taps = std::min(most_taps, taps - begin);
      for (Index tap = 0; tap < n_taps; ++tap)
        for (Index p = 0; p < pixels; ++p)
          places[static_cast<std::size_t>(tap * pixels + p)] =
              place(n, y, x + p, (begin + tap) / g_.w.kernel, (begin + tap) % g_.w.kernel, channel);
      add_taps(places.data(), weights + begin * n_in * block, n_taps, n_in, sums.front().data());
    }
    const Index n_pixels = std::min(pixels, g_.ow - x);
    for (Index p = 0; p < n_pixels; ++p) {
      float* out = dst_.floats() + n * dst_.strides[0] + y * dst_.strides[2] + (x + p) * dst_.strides[3];
      store(sums[static_cast<std::size_t>(p)].data() + wanted.begin - first, wanted,
            out + wanted.begin - channels_.begin);
    }
  }

  // Where the channels of one tap lie; zeros for the padding, so that it costs no other order of additions.
  [[nodiscard]] const float* place(Index n, Index y, Index x, Index ky, Index kx, Index channel) const {
    const float* cell = reads_nothing_ ? nullptr : read_cell(g_, src_, n, y, x, ky, kx);
    return cell == nullptr ? zeros_.data() : cell + channel;
  }

  // Bias and post-ops of the channels `made` of one pixel.
  void store(float* sums, Interval made, float* out) const {
    const Index n = made.size();
    if (bias_) {
      const float* bias = bias_->floats().data() + made.begin;
      for (Index m = 0; m < n; ++m) sums[m] += bias[m];
    }
    finish_pixel(post_ops_, sums, n, out);
  }

  View src_;
  View dst_;
  std::vector<PostOp> post_ops_;
  Interval channels_;
  ConvGeometry g_;
  bool reads_nothing_ = false;
  std::vector<float> zeros_;  // a pixel of the padding
  std::shared_ptr<Blob> weights_;
  std::shared_ptr<Blob> bias_;
};

}  // namespace

KernelPtr make_own_conv(const MakeContext& context) { return std::make_unique<OwnConv>(context); }

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
// Depthwise convolutions, fast: several pixels of a row at once, whose sums stay in registers while each cell that they
// read is loaded once per kernel row; the activation follows while the pixels lie in the first-level cache.

#include <algorithm>
#include <array>
#include <vector>

#include "kernels/depthwise_weights.hpp"
#include "kernels/fast_activation.hpp"
#include "kernels/finish.hpp"
#include "kernels/multiversion.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

#if defined(__aarch64__)
constexpr Index most_pixels = 4;  // of 32 registers of a quarter of a lane 16 hold sums
typedef Lane128 AnyChannels;
#else
constexpr Index most_pixels = 7;  // the maps of networks for 224 pixels divide by it
typedef Register128 AnyChannels;  // of 16 registers one for each pixel
#endif
constexpr Index most_columns(Index kernel, Index stride) { return (most_pixels - 1) * stride + kernel; }

/// Pixels of one row: what they read and where they go.
struct Pixels {
  const float* const* cells = nullptr;  // [kernel row][column]: the first channel of each cell that is read; or null,
  const float* first_cell = nullptr;    // where none lies outside of the map: the first of them, and the steps
  Index row_step = 0;
  Index column_step = 0;
  Index n_rows = 0;          // of the kernel, those outside of the map left out
  const float* w = nullptr;  // of the first of these rows
  Index w_step = 0;          // floats from tap to tap
  const float* bias = nullptr;
  float* dst = nullptr;
  Index dst_step = 0;  // floats from pixel to pixel
  Index channels = 0;  // at least a lane
  const Finish* finish = nullptr;
};

// Channels of one lane or register of P pixels.
template <class L, Index K, Index S, Index P, bool inside, class Ending>
STRAKE_LANE_FUNCTION void block(const Pixels& p, Index channel, const Ending& ending) {
  constexpr Index columns = (P - 1) * S + K;
  L sums[P];
#pragma GCC unroll 8
  for (Index i = 0; i < P; ++i) load(p.bias + channel, sums[i]);
  const float* w = p.w + channel;
  for (Index row = 0; row < p.n_rows; ++row) {
    L x[columns];
#pragma GCC unroll 20
    for (Index i = 0; i < columns; ++i)
      load((inside ? p.first_cell + row * p.row_step + i * p.column_step : p.cells[row * columns + i]) + channel, x[i]);
#pragma GCC unroll 8
    for (Index k = 0; k < K; ++k, w += p.w_step) {
      L weight;
      load(w, weight);
#pragma GCC unroll 8
      for (Index i = 0; i < P; ++i) add_product(weight, x[i * S + k], sums[i]);
    }
  }
#pragma GCC unroll 8
  for (Index i = 0; i < P; ++i) {
    ending(sums[i]);
    store(sums[i], p.dst + i * p.dst_step + channel);
  }
}

template <class L, Index K, Index S, Index P, bool inside>
STRAKE_LANE_FUNCTION void all_channels(const Pixels& p) {
  with_ending(*p.finish, [&](const auto& ending) STRAKE_LANE_LAMBDA {
    constexpr Index step = floats_of<L>;
    Index channel = 0;
    for (; channel + step <= p.channels; channel += step) block<L, K, S, P, inside>(p, channel, ending);
    // The last ones begin earlier, so that they fill it.
    if (channel < p.channels) block<L, K, S, P, inside>(p, p.channels - step, ending);
  });
}

template <class L, Index K, Index S>
STRAKE_LANE_FUNCTION void all_pixels(const Pixels& p) {
  if (p.cells == nullptr)
    all_channels<L, K, S, most_pixels, true>(p);
  else
    all_channels<L, K, S, most_pixels, false>(p);
}

// NOLINTBEGIN(bugprone-macro-parentheses): an attribute is no expression
#define STRAKE_DEPTHWISE(K, S, attribute, suffix, L)                                       \
  attribute void rows_##K##_##S##_all##suffix(const Pixels& p) { all_pixels<L, K, S>(p); } \
  attribute void rows_##K##_##S##_one##suffix(const Pixels& p) { all_channels<L, K, S, 1, false>(p); }
#define STRAKE_DEPTHWISE_SHAPES(attribute, suffix, L) \
  STRAKE_DEPTHWISE(3, 1, attribute, suffix, L)        \
  STRAKE_DEPTHWISE(3, 2, attribute, suffix, L)        \
  STRAKE_DEPTHWISE(5, 1, attribute, suffix, L)        \
  STRAKE_DEPTHWISE(5, 2, attribute, suffix, L)
STRAKE_DEPTHWISE_SHAPES(, _any, AnyChannels)
#if defined(__x86_64__)
STRAKE_DEPTHWISE_SHAPES(STRAKE_AVX2, _avx2, Register256)
STRAKE_DEPTHWISE_SHAPES(STRAKE_AVX512, _avx512, Lane512)
#endif
#undef STRAKE_DEPTHWISE_SHAPES
#undef STRAKE_DEPTHWISE
// NOLINTEND(bugprone-macro-parentheses)

using RowFunction = void (*)(const Pixels&);

struct RowFunctions {
  RowFunction all = nullptr;  // of `most_pixels`
  RowFunction one = nullptr;
};

#define STRAKE_ROW_FUNCTIONS(suffix)                                                                \
  {                                                                                                 \
    {{rows_3_1_all##suffix, rows_3_1_one##suffix}, {rows_3_2_all##suffix, rows_3_2_one##suffix}}, { \
      {rows_5_1_all##suffix, rows_5_1_one##suffix}, { rows_5_2_all##suffix, rows_5_2_one##suffix }  \
    }                                                                                               \
  }

RowFunctions functions_for(Index kernel, Index stride) {
  static const RowFunctions any[2][2] = STRAKE_ROW_FUNCTIONS(_any);
  if ((kernel != 3 && kernel != 5) || (stride != 1 && stride != 2)) return {};
#if defined(__x86_64__)
  static const RowFunctions avx512[2][2] = STRAKE_ROW_FUNCTIONS(_avx512);
  static const RowFunctions avx2[2][2] = STRAKE_ROW_FUNCTIONS(_avx2);
  if (has_avx512()) return avx512[kernel / 5][stride - 1];
  if (has_avx2()) return avx2[kernel / 5][stride - 1];
#endif
  return any[kernel / 5][stride - 1];
}

#undef STRAKE_ROW_FUNCTIONS

constexpr Index most_kernel = 5;
using Cells = std::array<const float*, most_kernel * most_columns(most_kernel, 2)>;

class FastDepthwise final : public Kernel {
 public:
  explicit FastDepthwise(const MakeContext& context)
      : src_(context.request.src.front()),
        dst_(context.request.dst),
        g_(geometry_of(context, src_.box, dst_.box)),
        rows_(functions_for(g_.w.kernel, g_.w.stride)),
        weights_(depthwise_weights(context, g_)),
        bias_(padded_bias(context, g_.out_channels)),
        zeros_(static_cast<std::size_t>(g_.out_channels.size()), 0.0F) {
    const std::vector<PostOp>& post_ops = as<Conv>(context.op())->post_ops;
    const std::optional<Finish> all = fast_finish(post_ops);
    if (all && ends_in_registers(*all)) {
      finish_ = *all;
    } else {
      for (const PostOp& post_op : post_ops) functions_.push_back(std::get<Activation>(post_op));
    }
  }

  void run() override {
    const Index rows = g_.n * g_.oh;
#pragma omp parallel for schedule(static) if (rows * g_.ow * g_.out_channels.size() > parallel_floats)
    for (Index row = 0; row < rows; ++row) compute(row / g_.oh, row % g_.oh);
  }

  [[nodiscard]] std::string implementation() const override { return "own_fast_depthwise"; }

 private:
  void compute(Index n, Index y) const {
    // Kernel rows within the map.
    const Index top = y * g_.h.stride - g_.h.pad_begin;
    const Index first = std::max<Index>(-top, 0);
    const Index end = std::min(g_.h.kernel, g_.ih - top);
    const float* row = src_.floats() + n * src_.strides[0] + (top + first) * src_.strides[2];
    float* out = dst_.floats() + n * dst_.strides[0] + y * dst_.strides[2];
    Cells cells{};
    Pixels pixels{.row_step = src_.strides[2],
                  .column_step = src_.strides[3],
                  .n_rows = std::max<Index>(end - first, 0),
                  .w = weights_->floats().data() + first * g_.w.kernel * depthwise_step(g_) + g_.out_channels.begin,
                  .w_step = depthwise_step(g_),
                  .bias = bias_.data(),
                  .dst = out,
                  .dst_step = dst_.strides[3],
                  .channels = g_.out_channels.size(),
                  .finish = &finish_};
    for (Index x = 0; x < g_.ow;) {
      const Index n_pixels = x + most_pixels <= g_.ow ? most_pixels : 1;
      const Index left = x * g_.w.stride - g_.w.pad_begin;
      const Index columns = (n_pixels - 1) * g_.w.stride + g_.w.kernel;
      const bool inside = n_pixels == most_pixels && left >= 0 && left + columns <= g_.iw;
      if (!inside) find_cells(row, x, n_pixels, pixels.n_rows, cells);
      pixels.cells = inside ? nullptr : cells.data();
      pixels.first_cell = row + left * src_.strides[3];
      pixels.dst = out + x * dst_.strides[3];
      (n_pixels == 1 ? rows_.one : rows_.all)(pixels);
      for (const Activation& function : functions_)
        apply_fast(function, pixels.dst, n_pixels, pixels.dst_step, pixels.channels);
      x += n_pixels;
    }
  }

  void find_cells(const float* row, Index x, Index n_pixels, Index n_rows, Cells& cells) const {
    const Index columns = (n_pixels - 1) * g_.w.stride + g_.w.kernel;
    const Index left = x * g_.w.stride - g_.w.pad_begin;
    auto* cell = cells.data();
    for (Index r = 0; r < n_rows; ++r)
      for (Index i = 0; i < columns; ++i) {
        const Index at = left + i;
        *cell++ = at < 0 || at >= g_.iw ? zeros_.data() : row + r * src_.strides[2] + at * src_.strides[3];
      }
  }

  View src_;
  View dst_;
  ConvGeometry g_;
  RowFunctions rows_;
  std::shared_ptr<Blob> weights_;
  std::vector<float> bias_;
  std::vector<float> zeros_;  // a cell of the padding
  Finish finish_;
  std::vector<Activation> functions_;  // behind it
};

}  // namespace

bool can_fast_depthwise(const MakeContext& context) {
  const Conv& conv = *as<Conv>(context.op());
  const View& src = context.request.src.front();
  const View& dst = context.request.dst;
  const auto fast = [](const PostOp& post_op) {
    const auto* function = std::get_if<Activation>(&post_op);
    return function != nullptr && has_fast(*function);
  };
  return may_fast_depthwise(context.op()) && conv.groups == context.src_shape(0)[1] && !src.box.empty() &&
         src.strides[1] == 1 && dst.strides[1] == 1 && dst.box[1].size() >= lane_floats &&
         std::ranges::all_of(conv.post_ops, fast);
}

bool may_fast_depthwise(const Op& op) {
  const Conv* conv = as<Conv>(op);
  if (conv == nullptr || conv->groups == 1 || conv->groups != op.shape[1]) return false;
  const WindowAxis& w = conv->window.w;
  return w.dilation == 1 && conv->window.h.dilation == 1 && conv->window.h.kernel <= most_kernel &&
         functions_for(w.kernel, w.stride).all != nullptr;
}

KernelPtr make_fast_depthwise(const MakeContext& context) { return std::make_unique<FastDepthwise>(context); }

}  // namespace strake::kernels

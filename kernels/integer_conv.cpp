// SPDX-License-Identifier: Apache-2.0
// Convolutions of 8-bit integers. All sums are exact, so that no order of them and no cut shows.

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "kernels/integer_finish.hpp"
#include "kernels/integer_stage.hpp"
#include "kernels/integer_weights.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

constexpr Index most_places = 1024;  // of one chunk of pixels: they stay in the first cache
constexpr Index most_blocks = 8;     // of pixels, that pass by the weights together

std::size_t aligned(std::size_t n_bytes) { return (n_bytes + 63) / 64 * 64; }

class IntegerConvKernel final : public Kernel {
 public:
  explicit IntegerConvKernel(const MakeContext& context)
      : conv_(*as<IntegerConv>(context.op())),
        src_(context.request.src[0]),
        zero_(context.request.src[1]),
        dst_(context.request.dst),
        reads_nothing_(src_.box.empty()),
        workspace_(&context.workspace),
        threads_(omp_get_max_threads()),
        multiply_channels_(fastest_channels(src_.type)) {
    if (reads_nothing_) src_.box = dst_.box;  // only has to exist
    if (!conv_.residuals.empty()) residual_ = context.request.src[2];
    g_ = geometry_of(context, conv_, src_.box, dst_.box);
    n_in_ = g_.ic / g_.groups;
    taps_ = g_.h.kernel * g_.w.kernel;
    by_channel_ = n_in_ == 1 && g_.oc == g_.groups;
    dot_ = fastest_dot(fit_bytes(context));
    weights_ = by_channel_ ? pack_channels(context, g_) : pack(context, g_, dot_);
    bias_ = of_channels<std::int32_t>(context, conv_.bias, g_.out_channels);
    scale_ = of_channels<float>(context, conv_.scale, g_.out_channels);
    shift_ = of_channels<float>(context, conv_.shift, g_.out_channels);
    base_ = bias_;
    lay_out();
  }

  void run() override {
    set_zero_point();
    if (stage_) from_ = stage_->fill(workspace_->data(), zero_point_, padding_.front());
    const Index chunks = (pixels_ + chunk_ - 1) / chunk_;
    const auto n_blocks = static_cast<Index>(weights_.blocks.size());
    // Few chunks: threads share the channels out instead.
    const Index parts = by_channel_ || chunks >= threads_ ? 1 : std::min(threads_, n_blocks);
    const bool parallel = pixels_ * g_.out_channels.size() * taps_ * steps_ > parallel_floats;
#pragma omp parallel for schedule(static) if (parallel && chunks * parts > 1)
    for (Index piece = 0; piece < chunks * parts; ++piece) {
      const Interval pixels{piece / parts * chunk_, std::min(pixels_, (piece / parts + 1) * chunk_)};
      const Index part = piece % parts;
      const Table table = table_of(pixels);
      if (by_channel_) {
        compute_by_channel(table);
      } else {
        compute(table, {n_blocks * part / parts, n_blocks * (part + 1) / parts});
      }
    }
  }

  [[nodiscard]] std::string implementation() const override {
    return by_channel_ ? "own_int8:channels" : dot_.name + (stage_ ? "+staged" : "");
  }

 private:
  /// What a thread knows of a chunk of pixels. Lies in the workspace.
  struct Table {
    Interval pixels;
    const std::byte** places;  // [tap][pixel]
    std::byte** dst;           // [pixel]: channel 0
    std::byte** residual;
    std::int32_t* sums;
  };

  // ---- memory -----------------------------------------------------------------------------------------------------

  void lay_out() {
    steps_ = (n_in_ + dot_.channels_per_step - 1) / dot_.channels_per_step;
    const Index group_bytes = steps_ * step_bytes;
    const bool readable = dot_.channels_per_step == 4 && src_.type == ElementType::u8 && n_in_ % 4 == 0;
    from_ = {.data = src_.data,
             .n_step = src_.strides[0],
             .y_step = src_.strides[2],
             .x_step = src_.strides[3],
             .group_step = n_in_};
    padding_.resize(static_cast<std::size_t>(by_channel_ ? src_.box[1].size() : group_bytes));
    if (!by_channel_ && !readable && !reads_nothing_) {
      stage_.emplace(src_, g_, dot_);
      taps_ /= stage_->run();
      steps_ *= stage_->run();
      padding_.resize(padding_.size() * static_cast<std::size_t>(stage_->run()));
      tables_ = aligned(stage_->n_bytes());
    }
    pixels_ = g_.n * g_.oh * g_.ow;
    const Index per_block = by_channel_ ? 1 : dot_.most_pixels;
    chunk_ = std::clamp<Index>(most_places / (taps_ * per_block), 1, by_channel_ ? 64 : most_blocks) * per_block;
    chunk_ = std::min(chunk_, pixels_);
    const Index sums =
        by_channel_ ? (g_.out_channels.size() + dot_lane - 1) / dot_lane * dot_lane : dot_.most_pixels * 2 * dot_lane;
    table_bytes_ = aligned(static_cast<std::size_t>(chunk_ * (taps_ + 2)) * sizeof(std::byte*)) +
                   aligned(static_cast<std::size_t>(sums) * sizeof(std::int32_t));
    workspace_->reserve(tables_ + static_cast<std::size_t>(threads_) * table_bytes_);
  }

  // Sums are of what lies in memory; the zero point's part is the same for all pixels, since padding is zero points.
  void set_zero_point() {
    const auto bits = std::to_integer<std::uint8_t>(*zero_.data);
    zero_point_ = src_.type == ElementType::u8 ? Index{bits} : Index{static_cast<std::int8_t>(bits)};
    const bool floats = !by_channel_ && dot_.channels_per_step == 1;
    const Index in_memory = floats ? 0 : by_channel_ ? zero_point_ : zero_point_ + shift_to_unsigned(src_.type);
    std::memset(padding_.data(), static_cast<std::uint8_t>(in_memory), padding_.size());
    for (std::size_t m = 0; m < base_.size(); ++m)
      base_[m] = static_cast<std::int32_t>(static_cast<std::uint32_t>(bias_[m]) -
                                           static_cast<std::uint32_t>(in_memory * weights_.sums[m]));
  }

  // ---- pixels -----------------------------------------------------------------------------------------------------

  [[nodiscard]] Table table_of(Interval pixels) const {
    std::byte* base = workspace_->data() + tables_ + static_cast<std::size_t>(omp_get_thread_num()) * table_bytes_;
    auto** pointers = reinterpret_cast<std::byte**>(base);
    Table table{.pixels = pixels,
                .places = const_cast<const std::byte**>(pointers),
                .dst = pointers + chunk_ * taps_,
                .residual = pointers + chunk_ * (taps_ + 1),
                .sums = reinterpret_cast<std::int32_t*>(
                    base + aligned(static_cast<std::size_t>(chunk_ * (taps_ + 2)) * sizeof(std::byte*)))};
    for_each_run(pixels, [&](Index i, Index n, Index y, Interval x) {
      const auto step = static_cast<Index>(size_of(dst_.type)) * dst_.strides[3];
      std::byte* dst = pixel(dst_, n, y, x.begin);
      for (Index at = 0; at < x.size(); ++at) table.dst[i + at] = dst + at * step;
      for (Index at = 0; residual_ && at < x.size(); ++at)
        table.residual[i + at] = pixel(*residual_, n, y, x.begin + at);
    });
    return table;
  }

  // Calls body(i, n, y, columns) for the pixels of one row, of which the first is the chunk's pixel number i.
  template <class Body>
  void for_each_run(Interval pixels, Body body) const {
    for (Index at = pixels.begin; at < pixels.end;) {
      const Index row = at / g_.ow;
      const Index x = at % g_.ow;
      const Index n = std::min(g_.ow - x, pixels.end - at);
      body(at - pixels.begin, row / g_.oh, row % g_.oh, Interval{x, x + n});
      at += n;
    }
  }

  void find_places(const Table& table, Index group) const {
    const Index per_row = g_.w.kernel / (stage_ ? stage_->run() : 1);
    const Interval columns{stage_ ? -stage_->left() : 0, g_.iw + (stage_ ? stage_->right() : 0)};
    for_each_run(table.pixels, [&](Index i, Index n, Index y, Interval x) {
      for (Index tap = 0; tap < taps_; ++tap) {
        const std::byte** places = table.places + tap * chunk_ + i;
        const Index sy = y * g_.h.stride + tap / per_row * g_.h.dilation - g_.h.pad_begin;
        const Index dx = tap % per_row * g_.w.dilation - g_.w.pad_begin;
        if (reads_nothing_ || sy < 0 || sy >= g_.ih) {
          std::fill_n(places, x.size(), padding_.data());
          continue;
        }
        const std::byte* row = from_.data + n * from_.n_step + sy * from_.y_step + group * from_.group_step;
        for (Index at = 0; at < x.size(); ++at) {
          const Index sx = (x.begin + at) * g_.w.stride + dx;
          places[at] = sx >= columns.begin && sx < columns.end ? row + sx * from_.x_step : padding_.data();
        }
      }
    });
  }

  // ---- sums -------------------------------------------------------------------------------------------------------

  void compute(const Table& table, Interval blocks) const {
    Index group = -1;
    const Index n = table.pixels.size();
    const Index n_parts = (n + dot_.most_pixels - 1) / dot_.most_pixels;
    for (Index i = blocks.begin; i < blocks.end; ++i) {
      const ChannelBlock& block = weights_.blocks[static_cast<std::size_t>(i)];
      if (block.group != group) find_places(table, group = block.group);
      for (Index part = 0; part < n_parts; ++part) {
        const Index first = n * part / n_parts;
        const Index n_pixels = n * (part + 1) / n_parts - first;
        dot_.multiply({.places = table.places + first,
                       .place_step = chunk_,
                       .weights = weights_.packed->data() + block.offset,
                       .n_taps = taps_,
                       .n_steps = steps_,
                       .n_pixels = n_pixels,
                       .n_lanes = block.lanes(),
                       .sums = table.sums});
        finish(finish_of(table, block.lanes() * dot_lane), block.first, block.n, n_pixels, table.dst + first,
               table.residual + first);
      }
    }
  }

  void compute_by_channel(const Table& table) const {
    find_places(table, 0);
    const Index n = g_.out_channels.size();
    for (Index i = 0; i < table.pixels.size(); ++i) {
      multiply_channels_({.places = table.places + i,
                          .place_step = chunk_,
                          .weights = reinterpret_cast<const std::int32_t*>(weights_.packed->data()),
                          .n_taps = taps_,
                          .n = n,
                          .sums = table.sums});
      finish(finish_of(table, 0), 0, n, 1, table.dst + i, table.residual + i);
    }
  }

  [[nodiscard]] IntegerFinish finish_of(const Table& table, Index sum_step) const {
    return {.sums = table.sums,
            .sum_step = sum_step,
            .base = base_.data(),
            .scale = conv_.scale == no_weight ? nullptr : scale_.data(),
            .shift = shift_.data(),
            .residual = residual_ ? conv_.residuals.data() : nullptr,
            .residual_type = residual_ ? residual_->type : ElementType::u8,
            .to = conv_.to,
            .zero = conv_.zero,
            .low = conv_.low,
            .high = conv_.high};
  }

  IntegerConv conv_;
  View src_;
  View zero_;
  View dst_;
  std::optional<View> residual_;
  bool reads_nothing_;
  Workspace* workspace_;
  Index threads_;
  ConvGeometry g_;
  Index n_in_ = 1;  // channels of a group
  Index taps_ = 1;
  bool by_channel_ = false;
  Dot dot_;
  MultiplyChannels multiply_channels_;
  IntegerWeights weights_;
  std::vector<std::int32_t> bias_;
  std::vector<float> scale_;
  std::vector<float> shift_;

  Index steps_ = 1;  // of a tap
  Index pixels_ = 1;
  Index chunk_ = 1;  // pixels
  std::optional<IntegerStage> stage_;
  Pixels from_;
  std::size_t tables_ = 0;  // where those of threads begin in the workspace
  std::size_t table_bytes_ = 0;

  Index zero_point_ = 0;            // of this frame
  std::vector<std::byte> padding_;  // a pixel of zero points
  std::vector<std::int32_t> base_;  // bias less the zero point's part
};

}  // namespace

KernelPtr make_integer_conv(const MakeContext& context) { return std::make_unique<IntegerConvKernel>(context); }

}  // namespace strake::kernels

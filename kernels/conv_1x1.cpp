// SPDX-License-Identifier: Apache-2.0
// 1x1 convolutions as products of matrices: pixels times channels, with bias, residual and activation done in
// registers.

#include <omp.h>

#include <algorithm>
#include <vector>

#include "kernels/conv_geometry.hpp"
#include "kernels/finish.hpp"
#include "kernels/micro_gemm.hpp"

namespace strake::kernels {

namespace {

// Panels of output channels pass over so many bytes of input, or of output, at a time: they stay in a second-level
// cache.
constexpr Index chunk_bytes = 256 * 1024;
constexpr Index least_chunk_rows = 56;

std::shared_ptr<Blob> packed(const MakeContext& context, const ConvGeometry& g) {
  const WeightId id = as<Conv>(context.op())->weights;
  const Interval channels = g.out_channels;
  const std::string form = "panels:" + to_string(channels);
  if (std::shared_ptr<Blob> known = context.weights.prepared(id, form)) return known;
  const Blob original = context.weights.original(id);
  const auto n_bytes = static_cast<std::size_t>(packed_floats(g.ic, channels.size())) * sizeof(float);
  auto values = std::make_shared<Blob>(context.weights.allocate(n_bytes));
  pack(original.floats().data() + channels.begin * g.ic, 1, g.ic, g.ic, channels.size(), values->floats().data());
  context.weights.keep(id, form, values);
  return values;
}

class Conv1x1 final : public Kernel {
 public:
  explicit Conv1x1(const MakeContext& context)
      : src_(context.request.src.front()),
        dst_(context.request.dst),
        g_(geometry_of(context, src_.box, dst_.box)),
        weights_(packed(context, g_)),
        bias_(padded_bias(context, g_.out_channels)),
        finish_(*fast_finish(as<Conv>(context.op())->post_ops)),
        threads_(omp_get_max_threads()) {
    finish_.bias = bias_.data();
    // Where rows follow each other without gaps, all pixels are one run.
    const bool one_run = g_.h.stride == 1 && g_.w.stride == 1 && src_.strides[2] == g_.ow * src_.strides[3] &&
                         dst_.strides[2] == g_.ow * dst_.strides[3];
    run_pixels_ = one_run ? g_.oh * g_.ow : g_.ow;
    runs_ = one_run ? g_.n : g_.n * g_.oh;
    const Index row_floats = std::max(g_.ic, g_.out_channels.size());
    const Index rows = std::max(chunk_bytes / (row_floats * static_cast<Index>(sizeof(float))), least_chunk_rows);
    chunks_per_run_ = std::max((run_pixels_ + rows - 1) / rows, std::min(threads_, run_pixels_ / least_chunk_rows));
    chunks_per_run_ = std::max<Index>(chunks_per_run_, 1);
  }

  void run() override {
    const Index panels = (g_.out_channels.size() + panel_columns - 1) / panel_columns;
    const Index chunks = runs_ * chunks_per_run_;
    // Few chunks: threads share the weights out instead, which they then read once between them.
    const bool by_panel = chunks < threads_;
    const Index pieces = by_panel ? std::min(threads_, panels) : chunks;
#pragma omp parallel for schedule(static) num_threads(static_cast <int>(threads_)) if (pieces > 1 && threads_ > 1)
    for (Index piece = 0; piece < pieces; ++piece) {
      if (by_panel) {
        for (Index chunk = 0; chunk < chunks; ++chunk)
          compute(chunk, {panels * piece / pieces, panels * (piece + 1) / pieces});
      } else {
        compute(piece, {0, panels});
      }
    }
  }

  [[nodiscard]] std::string implementation() const override { return "own_1x1"; }

 private:
  void compute(Index chunk, Interval panels) const {
    const Index oc = g_.out_channels.size();
    const Index run = chunk / chunks_per_run_;
    const Index in_run = chunk % chunks_per_run_;
    const Interval pixels{run_pixels_ * in_run / chunks_per_run_, run_pixels_ * (in_run + 1) / chunks_per_run_};
    const Index runs_per_image = runs_ / g_.n;
    const Index n = run / runs_per_image;
    const Index y = run % runs_per_image;
    const float* src = src_.floats() + n * src_.strides[0] + y * g_.h.stride * src_.strides[2];
    float* dst = dst_.floats() + n * dst_.strides[0] + y * dst_.strides[2];
    const Index a_step = g_.w.stride * src_.strides[3];
    for (Index panel = panels.begin; panel < panels.end; ++panel) {
      const Index column = panel * panel_columns;
      Finish finish = finish_;
      finish.bias += column;
      multiply({.a = src + pixels.begin * a_step,
                .a_step = a_step,
                .b = weights_->floats().data() + column * g_.ic,
                .k = g_.ic,
                .width = panel_width(column, oc),
                .c = dst + pixels.begin * dst_.strides[3] + column,
                .c_step = dst_.strides[3],
                .rows = pixels.size()},
               finish, std::min(panel_columns, oc - column));
    }
  }

  View src_;
  View dst_;
  ConvGeometry g_;
  std::shared_ptr<Blob> weights_;
  std::vector<float> bias_;
  Finish finish_;
  Index threads_;
  Index run_pixels_ = 0;
  Index runs_ = 0;
  Index chunks_per_run_ = 1;
};

}  // namespace

bool can_1x1(const MakeContext& context) {
  const Conv& conv = *as<Conv>(context.op());
  const auto fits = [](const WindowAxis& axis) { return axis.kernel == 1 && axis.pad_begin == 0 && axis.pad_end == 0; };
  const auto neighbours = [](const View& view) { return view.strides[1] == 1 || view.box[1].size() == 1; };
  const View& src = context.request.src.front();
  return conv.groups == 1 && fits(conv.window.h) && fits(conv.window.w) && !src.box.empty() && neighbours(src) &&
         neighbours(context.request.dst) && fast_finish(conv.post_ops).has_value();
}

KernelPtr make_1x1(const MakeContext& context) { return std::make_unique<Conv1x1>(context); }

}  // namespace strake::kernels

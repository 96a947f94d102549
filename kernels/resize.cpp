// SPDX-License-Identifier: Apache-2.0
// Resizing. Weights follow from the whole map (core/ops/resize.hpp), columns are mixed before rows, and the products of
// one cell are added in the order of the cells that it mixes: the same bits for every slab.

#include <algorithm>

#include "kernels/makers.hpp"
#include "kernels/multiversion.hpp"
#include "kernels/strided.hpp"
#include "kernels/table_copy.hpp"

namespace strake::kernels {

namespace {

/// What each cell of a box mixes along one axis.
struct Mix {
  struct Cell {
    Index first = 0;   // in the source's box
    Index weight = 0;  // where its weights begin
    Index n = 0;       // how many
  };
  std::vector<Cell> cells;
  std::vector<float> weights;
  std::vector<Index> outside;  // cells of the output, in whole-tensor coordinates
};

Mix mix_of(const Resize& op, std::size_t axis, Index src_size, Index dst_size, Interval src, Interval dst) {
  Mix mix;
  for (Index at = dst.begin; at < dst.end; ++at) {
    const ResizeTaps taps = resize_taps(op, axis, src_size, dst_size, at);
    mix.cells.push_back(
        {taps.first - src.begin, static_cast<Index>(mix.weights.size()), static_cast<Index>(taps.weights.size())});
    mix.weights.insert(mix.weights.end(), taps.weights.begin(), taps.weights.end());
    if (taps.outside) mix.outside.push_back(at);
  }
  return mix;
}

// out[i] = sum over taps of w[tap] * in[tap * stride + i], added tap by tap.
inline void mix_run(const float* in, Index stride, const float* w, Index n_taps, float* out, Index n) {
  if (n_taps == 1) {
    for (Index i = 0; i < n; ++i) out[i] = w[0] * in[i];
  } else if (n_taps == 2) {
    for (Index i = 0; i < n; ++i) out[i] = w[0] * in[i] + w[1] * in[stride + i];
  } else if (n_taps == 4) {
    for (Index i = 0; i < n; ++i)
      out[i] = ((w[0] * in[i] + w[1] * in[stride + i]) + w[2] * in[2 * stride + i]) + w[3] * in[3 * stride + i];
  } else {
    for (Index i = 0; i < n; ++i) out[i] = w[0] * in[i];
    for (Index tap = 1; tap < n_taps; ++tap)
      for (Index i = 0; i < n; ++i) out[i] += w[tap] * in[tap * stride + i];
  }
}

STRAKE_MULTIVERSION void mix_row(const float* in, Index stride, const float* w, Index n_taps, float* out, Index n) {
  mix_run(in, stride, w, n_taps, out, n);
}

// Each cell of a row of pixels of `n` channels; pixels of the source lie `src_stride` apart.
STRAKE_MULTIVERSION void mix_pixels(const float* in, Index src_stride, const Mix::Cell* cells, Index n_cells,
                                    const float* weights, float* out, Index n) {
  if (n == 1) {
    for (Index x = 0; x < n_cells; ++x) {
      const float* from = in + cells[x].first * src_stride;
      const float* w = weights + cells[x].weight;
      float sum = w[0] * from[0];
      for (Index tap = 1; tap < cells[x].n; ++tap) sum += w[tap] * from[tap * src_stride];
      out[x] = sum;
    }
    return;
  }
  for (Index x = 0; x < n_cells; ++x, out += n)
    mix_run(in + cells[x].first * src_stride, src_stride, weights + cells[x].weight, cells[x].n, out, n);
}

void fill_outside(const View& dst, const std::vector<Mix>& mixes, float value) {
  for (std::size_t axis = 0; axis < mixes.size(); ++axis)
    for (const Index at : mixes[axis].outside) {
      const View part = dst.window(with_axis(dst.box, axis, {at, at + 1}));
      const Walk walk = walk_over({part});
      for (Index run = 0; run < walk.n_runs; ++run)
        for (Index i = 0; i < walk.length; ++i) part.floats()[walk.offset(run, 0) + i * walk.inner[0]] = value;
    }
}

std::vector<Mix> mixes_of(const MakeContext& context, const Resize& op) {
  const Shape& src = context.src_shape(0);
  const Shape& dst = context.op().shape;
  std::vector<Mix> mixes;
  for (std::size_t axis = 0; axis < src.size(); ++axis)
    mixes.push_back(
        mix_of(op, axis, src[axis], dst[axis], context.request.src.front().box[axis], context.request.dst.box[axis]));
  return mixes;
}

// ---- rows and columns of a feature map ----------------------------------------------------------------------------

/// Bands of output rows: the rows that a band mixes have their columns mixed in a buffer that stays in the cache.
class MapResize final : public Kernel {
 public:
  MapResize(const MakeContext& context, const Resize& op)
      : src_(context.request.src.front()),
        dst_(context.request.dst),
        mixes_(mixes_of(context, op)),
        extrapolation_(op.extrapolation),
        row_floats_(dst_.box[3].size() * dst_.box[1].size()),
        workspace_(&context.workspace) {
    const Shape& src = context.src_shape(0);
    mix_columns_ = resizes(op, 3, src[3], context.op().shape[3]) || src_.strides[3] != src_.box[1].size();
    const std::vector<Mix::Cell>& rows = mixes_[2].cells;
    for (std::size_t y = 0; y < rows.size(); y += band) {
      const std::size_t end = std::min(y + band, rows.size());
      Interval read{rows[y].first, rows[y].first};
      for (std::size_t i = y; i < end; ++i)
        read = {std::min(read.begin, rows[i].first), std::max(read.end, rows[i].first + rows[i].n)};
      most_rows_ = std::max(most_rows_, read.size());
      bands_.push_back({static_cast<Index>(y), static_cast<Index>(end), read});
    }
    dense_rows_ = dst_.strides[3] == dst_.box[1].size();
    buffer_floats_ = (mix_columns_ ? most_rows_ * row_floats_ : 0) + (dense_rows_ ? 0 : row_floats_);
    const Index n_bands = static_cast<Index>(bands_.size()) * dst_.box[0].size();
    n_buffers_ = std::min<Index>(n_bands, most_buffers);
    workspace_->reserve(static_cast<std::size_t>(std::max<Index>(n_buffers_ * buffer_floats_, 1)) * sizeof(float));
  }

  void run() override {
    const auto n_bands = static_cast<Index>(bands_.size());
    const Index all = n_bands * dst_.box[0].size();
    auto* buffers = reinterpret_cast<float*>(workspace_->data());
    // Each chunk has a buffer of its own, whoever runs it.
#pragma omp parallel for schedule(static) if (dst_.box.volume() > parallel_floats)
    for (Index chunk = 0; chunk < n_buffers_; ++chunk)
      for (Index i = chunk * all / n_buffers_; i < (chunk + 1) * all / n_buffers_; ++i)
        make_band(i / n_bands, bands_[static_cast<std::size_t>(i % n_bands)], buffers + chunk * buffer_floats_);
    fill_outside(dst_, mixes_, extrapolation_);
  }

  [[nodiscard]] std::string implementation() const override { return "own_resize"; }

 private:
  static constexpr std::size_t band = 8;
  static constexpr Index most_buffers = 64;

  struct Band {
    Index begin;
    Index end;
    Interval src;  // rows of the source's box
  };

  void make_band(Index n, const Band& rows, float* buffer) const {
    const float* src = src_.floats() + n * src_.strides[0];
    const float* from = src;
    Index stride = src_.strides[2];
    Index first = 0;
    if (mix_columns_) {
      for (Index y = rows.src.begin; y < rows.src.end; ++y)
        mix_pixels(src + y * src_.strides[2], src_.strides[3], mixes_[3].cells.data(),
                   static_cast<Index>(mixes_[3].cells.size()), mixes_[3].weights.data(),
                   buffer + (y - rows.src.begin) * row_floats_, dst_.box[1].size());
      from = buffer;
      stride = row_floats_;
      first = rows.src.begin;
    }
    for (Index y = rows.begin; y < rows.end; ++y) {
      const Mix::Cell& cell = mixes_[2].cells[static_cast<std::size_t>(y)];
      float* out = dst_.floats() + n * dst_.strides[0] + y * dst_.strides[2];
      float* row = dense_rows_ ? out : buffer + (mix_columns_ ? most_rows_ * row_floats_ : 0);
      mix_row(from + (cell.first - first) * stride, stride, mixes_[2].weights.data() + cell.weight, cell.n, row,
              row_floats_);
      if (dense_rows_) continue;
      const Index c = dst_.box[1].size();
      for (Index x = 0; x < dst_.box[3].size(); ++x) std::copy_n(row + x * c, c, out + x * dst_.strides[3]);
    }
  }

  View src_;
  View dst_;
  std::vector<Mix> mixes_;
  float extrapolation_;
  Index row_floats_;
  Workspace* workspace_;
  bool mix_columns_ = true;
  bool dense_rows_ = true;
  std::vector<Band> bands_;
  Index most_rows_ = 0;
  Index buffer_floats_ = 0;
  Index n_buffers_ = 1;
};

// ---- any axes -----------------------------------------------------------------------------------------------------

/// One pass over memory for each axis that changes, the fastest first.
class GeneralResize final : public Kernel {
 public:
  GeneralResize(const MakeContext& context, const Resize& op)
      : src_(context.request.src.front()),
        dst_(context.request.dst),
        mixes_(mixes_of(context, op)),
        extrapolation_(op.extrapolation),
        workspace_(&context.workspace) {
    const std::vector<std::size_t> order = canonical_order(dst_.box.rank());
    Box box = src_.box;
    Index most = box.volume();
    for (std::size_t i = order.size(); i-- > 0;) {
      const std::size_t axis = order[i];
      if (!resizes(op, axis, context.src_shape(0)[axis], context.op().shape[axis])) continue;
      Pass pass{.axis = axis, .outer = 1, .src_size = box[axis].size(), .inner = 1};
      for (std::size_t k = 0; k < i; ++k) pass.outer *= box[order[k]].size();
      for (std::size_t k = i + 1; k < order.size(); ++k) pass.inner *= box[order[k]].size();
      passes_.push_back(pass);
      box[axis] = dst_.box[axis];
      most = std::max(most, box.volume());
    }
    most_floats_ = (most + 15) / 16 * 16;
    workspace_->reserve(static_cast<std::size_t>(2 * most_floats_) * sizeof(float));
  }

  void run() override {
    auto* from = reinterpret_cast<float*>(workspace_->data());
    auto* to = from + most_floats_;
    copy_view(src_, dense_view(src_.box, src_.type, reinterpret_cast<std::byte*>(from)));
    for (const Pass& pass : passes_) {
      const Mix& mix = mixes_[pass.axis];
      const auto dst_size = static_cast<Index>(mix.cells.size());
#pragma omp parallel for schedule(static) if (pass.outer * dst_size * pass.inner > parallel_floats)
      for (Index outer = 0; outer < pass.outer; ++outer)
        mix_pixels(from + outer * pass.src_size * pass.inner, pass.inner, mix.cells.data(), dst_size,
                   mix.weights.data(), to + outer * dst_size * pass.inner, pass.inner);
      std::swap(from, to);
    }
    copy_view(dense_view(dst_.box, dst_.type, reinterpret_cast<std::byte*>(from)), dst_);
    fill_outside(dst_, mixes_, extrapolation_);
  }

  [[nodiscard]] std::string implementation() const override { return "own_resize_passes"; }

 private:
  struct Pass {
    std::size_t axis;
    Index outer;
    Index src_size;
    Index inner;
  };

  View src_;
  View dst_;
  std::vector<Mix> mixes_;
  float extrapolation_;
  Workspace* workspace_;
  std::vector<Pass> passes_;
  Index most_floats_ = 0;
};

// ---- nearest ------------------------------------------------------------------------------------------------------

class ThenFill final : public Kernel {
 public:
  ThenFill(KernelPtr first, const View& dst, std::vector<Mix> mixes, float value)
      : first_(std::move(first)), dst_(dst), mixes_(std::move(mixes)), value_(value) {}
  void run() override {
    first_->run();
    fill_outside(dst_, mixes_, value_);
  }
  [[nodiscard]] std::string implementation() const override { return first_->implementation() + "+fill"; }

 private:
  KernelPtr first_;
  View dst_;
  std::vector<Mix> mixes_;
  float value_;
};

KernelPtr make_nearest(const MakeContext& context, const Resize& op) {
  const View& src = context.request.src.front();
  const View& dst = context.request.dst;
  std::vector<Mix> mixes = mixes_of(context, op);
  std::vector<std::vector<Index>> tables;
  bool outside = false;
  for (std::size_t axis = 0; axis < mixes.size(); ++axis) {
    std::vector<Index>& table = tables.emplace_back();
    for (const Mix::Cell& cell : mixes[axis].cells) table.push_back(cell.first + src.box[axis].begin);
    outside = outside || !mixes[axis].outside.empty();
  }
  KernelPtr copy = make_table_copy(src, dst, tables, "own_nearest");
  if (!outside || dst.type != ElementType::f32) return copy;
  return std::make_unique<ThenFill>(std::move(copy), dst, std::move(mixes), op.extrapolation);
}

}  // namespace

KernelPtr make_resize(const MakeContext& context) {
  const auto& op = *as<Resize>(context.op());
  if (op.kind == ResizeKind::nearest) return make_nearest(context, op);
  const Shape& src = context.src_shape(0);
  const Shape& dst = context.op().shape;
  const bool map = src.size() == 4 && !resizes(op, 0, src[0], dst[0]) && !resizes(op, 1, src[1], dst[1]);
  if (map) return std::make_unique<MapResize>(context, op);
  return std::make_unique<GeneralResize>(context, op);
}

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
// Pooling in NHWC: the loop over channels is innermost and vectorised.

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "kernels/makers.hpp"
#include "kernels/row_loops.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

constexpr Index most_taps = 64;  // of a window whose cells are all found before the first is read

// Taps of one window along one axis, in whole-map coordinates.
struct Taps {
  Index first = 0;  // of all taps, padding included
  Index begin = 0;  // taps [begin, end) lie inside the map
  Index end = 0;
  Index counted = 0;  // for an average: those inside the map and its declared padding
};

Taps taps_of(const WindowAxis& axis, Index at, Index size) {
  Taps taps{.first = at * axis.stride - axis.pad_begin};
  taps.begin = axis.kernel;
  for (Index k = 0; k < axis.kernel; ++k) {
    const Index place = taps.first + k * axis.dilation;
    if (place >= 0 && place < size) {
      taps.begin = std::min(taps.begin, k);
      taps.end = k + 1;
    }
    if (place < size + axis.pad_end) ++taps.counted;
  }
  taps.begin = std::min(taps.begin, taps.end);
  return taps;
}

class PoolKernel final : public Kernel {
 public:
  explicit PoolKernel(const MakeContext& context)
      : pool_(*as<Pool>(context.op())), src_(context.request.src.front()), dst_(context.request.dst) {
    const Shape& map = context.src_shape(0);
    for (Index y = dst_.box[2].begin; y < dst_.box[2].end; ++y) rows_.push_back(taps_of(pool_.window.h, y, map[2]));
    for (Index x = dst_.box[3].begin; x < dst_.box[3].end; ++x) columns_.push_back(taps_of(pool_.window.w, x, map[3]));
  }

  void run() override {
    const auto oh = static_cast<Index>(rows_.size());
    const Index rows = dst_.box[0].size() * oh;
#pragma omp parallel for schedule(static) if (dst_.box.volume() > parallel_floats)
    for (Index row = 0; row < rows; ++row) {
      if (dst_.type == ElementType::u8)
        maximum_row<std::uint8_t>(row / oh, row % oh);
      else if (dst_.type == ElementType::i8)
        maximum_row<std::int8_t>(row / oh, row % oh);
      else if (pool_.window.h.kernel * pool_.window.w.kernel <= most_taps)
        row_of_few_taps(row / oh, row % oh);
      else if (pool_.kind == PoolKind::max)
        maximum_row<float>(row / oh, row % oh);
      else
        sum_row(row / oh, row % oh);
    }
  }

  [[nodiscard]] std::string implementation() const override { return "own_pool"; }

 private:
  // Each channel's result stays in a register until all taps are seen.
  void row_of_few_taps(Index n, Index y) const {
    const Index c = dst_.box[1].size();
    const Taps& row = rows_[static_cast<std::size_t>(y)];
    float* out = dst_.floats() + n * dst_.strides[0] + y * dst_.strides[2];
    std::array<const float*, most_taps> taps{};
    for (std::size_t x = 0; x < columns_.size(); ++x, out += dst_.strides[3]) {
      Index n_taps = 0;
      for_each_tap<float>(n, row, columns_[x], [&](const float* in) { taps[static_cast<std::size_t>(n_taps++)] = in; });
      if (pool_.kind == PoolKind::max) {
        largest_of(taps.data(), n_taps, out, c);
      } else {
        const bool divides = pool_.kind == PoolKind::average;
        mean_of(taps.data(), n_taps, divides ? static_cast<float>(cells(row, columns_[x])) : 1, out, c);
      }
    }
  }

  template <class T>
  void maximum_row(Index n, Index y) const {
    const Index c = dst_.box[1].size();
    const Taps& row = rows_[static_cast<std::size_t>(y)];
    T* out = reinterpret_cast<T*>(dst_.data) + n * dst_.strides[0] + y * dst_.strides[2];
    for (std::size_t x = 0; x < columns_.size(); ++x, out += dst_.strides[3]) {
      std::fill_n(out, c, std::numeric_limits<T>::lowest());
      for_each_tap<T>(n, row, columns_[x], [&](const T* in) { take_larger(in, out, c); });
    }
  }

  void sum_row(Index n, Index y) const {
    const Index c = dst_.box[1].size();
    const Taps& row = rows_[static_cast<std::size_t>(y)];
    float* out = dst_.floats() + n * dst_.strides[0] + y * dst_.strides[2];
    for (std::size_t x = 0; x < columns_.size(); ++x, out += dst_.strides[3]) {
      std::fill_n(out, c, 0.0F);
      for_each_tap<float>(n, row, columns_[x], [&](const float* in) { add_row(in, out, c); });
      if (pool_.kind == PoolKind::average) divide_row(out, static_cast<float>(cells(row, columns_[x])), c);
    }
  }

  // Calls body(pixel) for the taps inside the map, row by row.
  template <class T>
  void for_each_tap(Index n, const Taps& row, const Taps& column, const auto& body) const {
    for (Index ky = row.begin; ky < row.end; ++ky) {
      const Index y = row.first + ky * pool_.window.h.dilation - src_.box[2].begin;
      for (Index kx = column.begin; kx < column.end; ++kx) {
        const Index x = column.first + kx * pool_.window.w.dilation - src_.box[3].begin;
        body(reinterpret_cast<const T*>(src_.data) + n * src_.strides[0] + y * src_.strides[2] + x * src_.strides[3]);
      }
    }
  }

  [[nodiscard]] Index cells(const Taps& row, const Taps& column) const {
    const Index inside = (row.end - row.begin) * (column.end - column.begin);
    const Index n = pool_.over == AverageOver::padded_cells ? row.counted * column.counted : inside;
    return std::max<Index>(n, 1);
  }

  Pool pool_;
  View src_;
  View dst_;
  std::vector<Taps> rows_;
  std::vector<Taps> columns_;
};

}  // namespace

KernelPtr make_pool(const MakeContext& context) { return std::make_unique<PoolKernel>(context); }

}  // namespace strake::kernels

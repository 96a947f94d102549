// SPDX-License-Identifier: Apache-2.0
// Operators that move cells by the rule of an axis or a block: DepthToSpace, SpaceToDepth, BorderPad.

#include <algorithm>
#include <cstring>

#include "kernels/makers.hpp"
#include "kernels/strided.hpp"
#include "kernels/table_copy.hpp"

namespace strake::kernels {

namespace {

/// Pixels of one map against blocks of channels of the other, in whichever direction.
struct Blocks {
  Index block_h;
  Index block_w;
  Index groups;
  Index begin_h;
  Index begin_w;
  Index channels;  // of the whole map with more pixels
};

template <class T>
void move_channels(const T* src, T* dst, const std::vector<Index>& src_channels,
                   const std::vector<Index>& dst_channels) {
  for (std::size_t c = 0; c < src_channels.size(); ++c) dst[dst_channels[c]] = src[src_channels[c]];
}

template <Index length, class T>
void copy_short_runs(const T* src, Index src_step, T* dst, Index dst_step, Index n) {
  for (Index i = 0; i < n; ++i)
    for (Index k = 0; k < length; ++k) dst[i * dst_step + k] = src[i * src_step + k];
}

// `n` runs of `length` elements, which begin `src_step` and `dst_step` apart.
template <class T>
void copy_runs(const T* src, Index src_step, T* dst, Index dst_step, Index length, Index n) {
  switch (length) {
    case 1:
      return copy_short_runs<1>(src, src_step, dst, dst_step, n);
    case 2:
      return copy_short_runs<2>(src, src_step, dst, dst_step, n);
    case 3:
      return copy_short_runs<3>(src, src_step, dst, dst_step, n);
    case 4:
      return copy_short_runs<4>(src, src_step, dst, dst_step, n);
    default:
      for (Index i = 0; i < n; ++i)
        std::memcpy(dst + i * dst_step, src + i * src_step, static_cast<std::size_t>(length) * sizeof(T));
  }
}

// Where channel c of the fine map lies among those of the coarse one, for the cell (i, j) of a block.
Index coarse_channel(const Blocks& b, Index c, Index i, Index j) {
  const Index per_group = b.channels / b.groups;
  const Index cells = b.block_h * b.block_w;
  return (c / per_group * cells + i * b.block_w + j) * per_group + c % per_group;
}

/// Walks the pixels of a box of the fine map and moves the channels of each to or from the coarse map.
class BlockMove final : public Kernel {
 public:
  enum class Direction : unsigned char { to_fine, to_coarse };

  BlockMove(const View& fine, const View& coarse, const Blocks& blocks, Direction direction)
      : fine_(fine), coarse_(coarse), blocks_(blocks), direction_(direction) {
    for (Index i = 0; i < blocks.block_h; ++i)
      for (Index j = 0; j < blocks.block_w; ++j) tables_.push_back(table_of(i, j));
    // With one group the cells of one row of a block lie side by side in both maps.
    const Index c = blocks.channels;
    whole_rows_ = blocks.groups == 1 && fine.box[1].size() == c && fine.strides[3] == c &&
                  (c == 1 || fine.strides[1] == 1) && coarse.box[1].size() == c * blocks.block_h * blocks.block_w &&
                  (coarse.box[1].size() == 1 || coarse.strides[1] == 1);
  }

  void run() override {
    const Index rows = fine_.box[2].size();
    const Index all = fine_.box[0].size() * rows;
    with_type(fine_.type, [&]<class T>(std::type_identity<T>) {
#pragma omp parallel for schedule(static) if (all > 1 && fine_.box.volume() > parallel_floats)
      for (Index row = 0; row < all; ++row) move_row<T>(row / rows, fine_.box[2].begin + row % rows);
    });
  }

  [[nodiscard]] std::string implementation() const override { return "own_blocks"; }

 private:
  // Channels that one pixel of the fine map holds in one place of a block.
  struct Table {
    std::vector<Index> fine;    // offsets in elements
    std::vector<Index> coarse;  // likewise
    bool gapless = true;        // neighbours in both
  };

  [[nodiscard]] Table table_of(Index i, Index j) const {
    Table table;
    for (Index c = fine_.box[1].begin; c < fine_.box[1].end; ++c) {
      const Index coarse = coarse_channel(blocks_, c, i, j);
      if (coarse < coarse_.box[1].begin || coarse >= coarse_.box[1].end) continue;
      table.fine.push_back((c - fine_.box[1].begin) * fine_.strides[1]);
      table.coarse.push_back((coarse - coarse_.box[1].begin) * coarse_.strides[1]);
      const std::size_t n = table.fine.size();
      if (n > 1 && (table.fine[n - 1] - table.fine[n - 2] != 1 || table.coarse[n - 1] - table.coarse[n - 2] != 1))
        table.gapless = false;
    }
    return table;
  }

  template <class T>
  void move_row(Index n, Index y) const {
    const Index place = y + blocks_.begin_h;
    T* fine = reinterpret_cast<T*>(fine_.data) + n * fine_.strides[0] + (y - fine_.box[2].begin) * fine_.strides[2];
    T* coarse = reinterpret_cast<T*>(coarse_.data) + n * coarse_.strides[0] +
                (place / blocks_.block_h - coarse_.box[2].begin) * coarse_.strides[2];
    if (whole_rows_) return move_row_of_blocks(fine, coarse, place % blocks_.block_h);
    const Index first_table = place % blocks_.block_h * blocks_.block_w;
    Index x = fine_.box[3].begin + blocks_.begin_w;
    Index block = x / blocks_.block_w;
    Index j = x % blocks_.block_w;
    for (Index left = fine_.box[3].size(); left > 0; --left, fine += fine_.strides[3]) {
      const Table& table = tables_[static_cast<std::size_t>(first_table + j)];
      move_pixel(fine, coarse + (block - coarse_.box[3].begin) * coarse_.strides[3], table);
      if (++j == blocks_.block_w) j = 0, ++block;
    }
  }

  // Row `i` of each block that the box touches: what is left of the first one, then whole ones and the last one.
  template <class T>
  void move_row_of_blocks(T* fine, T* coarse, Index i) const {
    const Index c = blocks_.channels;
    const Index first = fine_.box[3].begin + blocks_.begin_w;
    const Index end = first + fine_.box[3].size();
    for (Index x = first; x < end;) {
      const Index j = x % blocks_.block_w;
      const Index pixels = std::min(blocks_.block_w - j, end - x);
      const Index n_blocks = std::max<Index>((end - x) / blocks_.block_w, 1);
      T* in_coarse =
          coarse + (x / blocks_.block_w - coarse_.box[3].begin) * coarse_.strides[3] + (i * blocks_.block_w + j) * c;
      T* in_fine = fine + (x - first) * c;
      const Index n = j == 0 && pixels == blocks_.block_w ? n_blocks : 1;
      if (direction_ == Direction::to_fine)
        copy_runs(in_coarse, coarse_.strides[3], in_fine, pixels * c, pixels * c, n);
      else
        copy_runs(in_fine, pixels * c, in_coarse, coarse_.strides[3], pixels * c, n);
      x += n * pixels;
    }
  }

  template <class T>
  void move_pixel(T* fine, T* coarse, const Table& table) const {
    const std::size_t size = table.fine.size();
    if (size == 0) return;
    const bool to_fine = direction_ == Direction::to_fine;
    if (table.gapless && size >= 8) {
      T* a = fine + table.fine.front();
      T* b = coarse + table.coarse.front();
      std::memcpy(to_fine ? a : b, to_fine ? b : a, size * sizeof(T));
    } else if (to_fine) {
      move_channels(coarse, fine, table.coarse, table.fine);
    } else {
      move_channels(fine, coarse, table.fine, table.coarse);
    }
  }

  View fine_;
  View coarse_;
  Blocks blocks_;
  Direction direction_;
  bool whole_rows_ = false;
  std::vector<Table> tables_;  // one for each cell of a block, row by row
};

KernelPtr make_border_pad(const MakeContext& context, const BorderPad& op) {
  const Box& box = context.request.dst.box;
  std::vector<std::vector<Index>> tables(box.rank());
  for (std::size_t axis = 0; axis < box.rank(); ++axis)
    for (Index at = box[axis].begin; at < box[axis].end; ++at)
      tables[axis].push_back(border_source(op.kind, at - op.begin[axis], context.src_shape(0)[axis]));
  return make_table_copy(context.request.src.front(), context.request.dst, tables, "own_pad");
}

}  // namespace

KernelPtr make_blocks(const MakeContext& context) {
  const View& src = context.request.src.front();
  const View& dst = context.request.dst;
  if (const auto* op = as<DepthToSpace>(context.op()))
    return std::make_unique<BlockMove>(
        dst, src, Blocks{op->block_h, op->block_w, op->groups, op->begin_h, op->begin_w, context.op().shape[1]},
        BlockMove::Direction::to_fine);
  if (const auto* op = as<SpaceToDepth>(context.op()))
    return std::make_unique<BlockMove>(src, dst,
                                       Blocks{op->block_h, op->block_w, op->groups, 0, 0, context.src_shape(0)[1]},
                                       BlockMove::Direction::to_coarse);
  return make_border_pad(context, *as<BorderPad>(context.op()));
}

}  // namespace strake::kernels

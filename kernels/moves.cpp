// SPDX-License-Identifier: Apache-2.0
#include "kernels/moves.hpp"

namespace strake::kernels {

const std::byte* cell_at(const View& view, Index offset) {
  return view.data + offset * static_cast<Index>(size_of(view.type));
}

Move move_of(const std::byte* src, const std::vector<Index>& src_strides, const View& dst, const Box& box) {
  const View window = dst.window(box);
  std::vector<Index> sizes;
  std::vector<std::vector<Index>> strides(2);
  for (const std::size_t axis : canonical_order(box.rank())) {
    sizes.push_back(box[axis].size());
    strides[0].push_back(src_strides[axis]);
    strides[1].push_back(window.strides[axis]);
  }
  return {dst.type, src, window.data, make_walk(std::move(sizes), std::move(strides))};
}

KernelPtr make_moves(std::vector<Move> moves) {
  return make_own(
      [moves = std::move(moves)] {
        for (const Move& move : moves) copy(move.walk, move.type, move.src, move.dst);
      },
      "copy");
}

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Walks for threads: each works through pieces of runs, whose places it counts on instead of dividing for each.

#include <algorithm>
#include <array>

#include "kernels/strided.hpp"

namespace strake::kernels {

/// Where a thread is in a walk of N views.
template <std::size_t N>
class Cursor {
 public:
  Cursor(const Walk& walk, Index run) : walk_(&walk), run_(run) {
    for (std::size_t view = 0; view < N; ++view) offsets_[view] = walk.offset(run, view);
    for (std::size_t axis = n_axes(); axis-- > 0;) {
      at_[axis] = run % walk.sizes[axis];
      run /= walk.sizes[axis];
    }
  }

  /// Elements from the first of each view to the run.
  [[nodiscard]] const std::array<Index, N>& offsets() const { return offsets_; }

  void next() {
    ++run_;
    if (walk_->sizes.size() > most_axes) {
      for (std::size_t view = 0; view < N; ++view) offsets_[view] = walk_->offset(run_, view);
      return;
    }
    for (std::size_t axis = n_axes(); axis-- > 0;) {
      if (++at_[axis] < walk_->sizes[axis]) return move(axis, 1);
      move(axis, 1 - at_[axis]);
      at_[axis] = 0;
    }
  }

 private:
  static constexpr std::size_t most_axes = 8;  // tensors with more are slower

  [[nodiscard]] std::size_t n_axes() const { return std::min(walk_->sizes.size(), most_axes); }
  void move(std::size_t axis, Index steps) {
    for (std::size_t view = 0; view < N; ++view) offsets_[view] += steps * walk_->strides[view][axis];
  }

  const Walk* walk_;
  Index run_;
  std::array<Index, N> offsets_{};
  std::array<Index, most_axes> at_{};
};

/// Calls body(offsets, n) for pieces of n cells that cover the walk of N views, from all threads. Where a piece begins
/// must not change the value of any cell.
template <std::size_t N, class Body>
void for_each_piece(const Walk& walk, const Body& body) {
  constexpr Index piece = 4096;
  const Index pieces = (walk.length + piece - 1) / piece;  // of a run
  const Index total = walk.n_runs * pieces;
  // Shares rather than pieces are given out: runs may be short, and a share finds its place once.
  constexpr Index share = 64;
  const Index shares = std::min(share, total);
#pragma omp parallel for schedule(static) if (walk.n_runs * walk.length > parallel_floats)
  for (Index one = 0; one < shares; ++one) {
    Index at = total * one / shares;
    const Index end = total * (one + 1) / shares;
    Cursor<N> cursor(walk, at / pieces);
    for (Index part = at % pieces; at < end; ++at) {
      std::array<Index, N> offsets = cursor.offsets();
      for (std::size_t view = 0; view < N; ++view) offsets[view] += part * piece * walk.inner[view];
      body(offsets, std::min(piece, walk.length - part * piece));
      if (++part == pieces) {
        part = 0;
        if (at + 1 < end) cursor.next();
      }
    }
  }
}

/// Calls body(offsets, n) for groups of n whole runs that follow each other along the last outer axis: n is at most
/// `walk.sizes.back()`, 1 where there is no such axis. Of all threads; which runs make a group must not matter.
template <std::size_t N, class Body>
void for_each_group(const Walk& walk, const Body& body) {
  const Index longest = walk.sizes.empty() ? 1 : walk.sizes.back();
  constexpr Index share = 64;
  const Index shares = std::min(share, walk.n_runs);
#pragma omp parallel for schedule(static) if (walk.n_runs * walk.length > parallel_floats)
  for (Index one = 0; one < shares; ++one) {
    const Index end = walk.n_runs * (one + 1) / shares;
    for (Index run = walk.n_runs * one / shares; run < end;) {
      const Index n = std::min(end - run, longest - run % longest);
      std::array<Index, N> offsets;
      for (std::size_t view = 0; view < N; ++view) offsets[view] = walk.offset(run, view);
      body(offsets, n);
      run += n;
    }
  }
}

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Loops of operators that go along axes, vectorised over the innermost axis whether that is one of them or not.
///
/// The order in which the cells along the axes are visited is row-major in the whole tensor: no cut along another axis
/// and no layout changes it.

#include <algorithm>
#include <vector>

#include "kernels/strided.hpp"

namespace strake::kernels {

/// Results that are worked on together, at most.
inline constexpr Index tile_size = 64;
/// Interleaved partial results of a run along the innermost axis.
inline constexpr Index n_lanes = 16;

/// What stays while an operator goes along axes, and what it goes along.
struct Along {
  Walk outer;                // kept places, without the innermost axis; views as given
  Walk lane;                 // along the axes, without the innermost one
  bool across = false;       // the innermost axis is kept: `width` neighbours share each walk
  Index width = 1;           // neighbours that are kept, or cells of a run that is gone along
  std::vector<Index> inner;  // step of each view along the innermost axis

  [[nodiscard]] Index n_places() const { return outer.n_runs * outer.length; }
  /// Where kept place `i` lies in a view, in elements.
  [[nodiscard]] Index place(Index i, std::size_t view) const { return place(i / outer.length, i % outer.length, view); }
  [[nodiscard]] Index place(Index run, Index cell, std::size_t view) const {
    return outer.offset(run, view) + cell * outer.inner[view];
  }
  [[nodiscard]] Index n_tiles() const { return across ? (width + tile_size - 1) / tile_size : 1; }
};

/// @param views  the source first, whose box has the sizes; the others broadcast to it (numpy), repeated where of size
/// 1
[[nodiscard]] Along walk_along(const std::vector<View>& views, const std::vector<int>& axes);

/// Calls body(place, first, n) for each kept place and each tile [first, first + n) of the innermost axis where it is
/// kept (else first = 0 and n = 1), threads sharing them when `cells` are many.
template <class Body>
void for_each_tile(const Along& along, Index cells, Body body) {
  const Index tiles = along.n_tiles();
#pragma omp parallel for schedule(static) if (cells > parallel_floats)
  for (Index i = 0; i < along.n_places() * tiles; ++i) {
    const Index first = i % tiles * tile_size;
    body(i / tiles, first, along.across ? std::min(tile_size, along.width - first) : 1);
  }
}

}  // namespace strake::kernels

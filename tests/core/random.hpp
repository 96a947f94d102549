// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Random small boxes, and the cells inside a box, for tests that compare with brute force.

#include <random>
#include <set>
#include <vector>

#include "core/box.hpp"
#include "core/print.hpp"

namespace strake::test {

using Random = std::mt19937;
using Cell = std::vector<Index>;

/// A number in [least, most].
inline Index pick(Random& random, Index least, Index most) {
  return std::uniform_int_distribution<Index>(least, most)(random);
}

/// An interval inside [0, size), empty now and then.
inline Interval random_interval(Random& random, Index size) {
  const Index begin = pick(random, 0, size);
  return {begin, pick(random, begin, size)};
}

inline Box random_box(Random& random, const Shape& shape) {
  Box box;
  for (const Index size : shape) box.axes.push_back(random_interval(random, size));
  return box;
}

/// A box inside `shape` with at least one cell.
inline Box random_full_box(Random& random, const Shape& shape) {
  Box box;
  for (const Index size : shape) {
    const Index begin = pick(random, 0, size - 1);
    box.axes.push_back({begin, pick(random, begin + 1, size)});
  }
  return box;
}

/// All cells of `box`, in row-major order.
inline std::vector<Cell> cells_of(const Box& box) {
  if (box.empty()) return {};
  std::vector<Cell> cells = {{}};
  for (const Interval axis : box.axes) {
    std::vector<Cell> longer;
    for (const Cell& cell : cells) {
      for (Index i = axis.begin; i < axis.end; ++i) {
        longer.push_back(cell);
        longer.back().push_back(i);
      }
    }
    cells = std::move(longer);
  }
  return cells;
}

/// The different cells of boxes that may overlap.
inline std::set<Cell> cells_of(const BoxList& boxes) {
  std::set<Cell> cells;
  for (const Box& box : boxes)
    for (Cell& cell : cells_of(box)) cells.insert(std::move(cell));
  return cells;
}

}  // namespace strake::test

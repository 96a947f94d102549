// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Random tables of what ranks have and need of a tensor, carried out on any transport and compared byte by byte.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>

#include "comm/communicator.hpp"
#include "core/blob.hpp"
#include "core/plan.hpp"
#include "core/random.hpp"
#include "rounded_cells.hpp"

namespace strake::test {

/// What all ranks build alike from one seed.
struct Table {
  Shape shape;
  ElementType type = ElementType::f32;
  Index block = 1;  // of ranks whose layout is blocked; channels are cut at its multiples
  std::vector<BoxList> have;
  std::vector<BoxList> need;
  std::vector<Transfer> moves;
};

/// Memory of one rank: a view of some box, and every byte around and between its cells.
struct Slab {
  Blob memory;
  View view;
};

// Cuts [0, size) for n ranks at multiples of `grain`: uneven, some of a single row, some of nothing.
inline std::vector<Interval> random_cuts(Random& random, Index size, Index grain, int n) {
  std::vector<Index> cuts = {0, size};
  for (int i = 1; i < n; ++i) cuts.push_back(pick(random, 0, size / grain) * grain);
  std::sort(cuts.begin(), cuts.end());
  std::vector<Interval> intervals;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) intervals.push_back({cuts[i], cuts[i + 1]});
  return intervals;
}

inline Shape random_shape(Random& random, Index block) {
  if (block > 1 || pick(random, 0, 1) == 0)
    return {pick(random, 1, 2), pick(random, 1, 3 * block + 2), pick(random, 1, 13), pick(random, 1, 13)};
  Shape shape(static_cast<std::size_t>(pick(random, 1, 8)));
  for (Index& size : shape) size = pick(random, 1, shape.size() > 4 ? 3 : 9);
  return shape;
}

/// Each rank has its cut of one axis, or overlaps with its neighbour; it needs a halo on both sides, another axis's
/// cut, everything or nothing.
inline Table random_table(unsigned seed, int n_ranks) {
  Random random(seed);
  Table table;
  table.block = std::array<Index, 4>{1, 1, 8, 16}[static_cast<std::size_t>(pick(random, 0, 3))];
  table.type =
      std::array{ElementType::f32, ElementType::u8, ElementType::f16}[static_cast<std::size_t>(pick(random, 0, 2))];
  table.shape = random_shape(random, table.block);
  const Box all = whole(table.shape);
  const auto random_axis = [&] {
    return static_cast<std::size_t>(pick(random, 0, static_cast<Index>(all.rank()) - 1));
  };
  const auto grain = [&](std::size_t axis) { return axis == 1 ? table.block : 1; };
  const std::size_t axis = random_axis();
  const std::size_t other = random_axis();
  const Index halo = pick(random, 0, 3) * grain(axis);
  const Index overlap = pick(random, 0, 3) == 0 ? grain(axis) : 0;
  const bool turned = pick(random, 0, 2) == 0;
  const std::vector<Interval> cuts = random_cuts(random, table.shape[axis], grain(axis), n_ranks);
  const std::vector<Interval> turned_cuts = random_cuts(random, table.shape[other], grain(other), n_ranks);
  const auto widened = [&](Interval cut, Index by) {
    if (cut.empty()) return cut;
    return Interval{std::max<Index>(cut.begin - by, 0), std::min(cut.end + by, table.shape[axis])};
  };
  for (std::size_t rank = 0; rank < cuts.size(); ++rank) {
    table.have.push_back({with_axis(all, axis, widened(cuts[rank], overlap))});
    const Index kind = pick(random, 0, 7);
    if (kind == 0)
      table.need.push_back({all});
    else if (kind == 1)
      table.need.push_back({});
    else if (turned)
      table.need.push_back({with_axis(all, other, turned_cuts[rank])});
    else
      table.need.push_back({with_axis(all, axis, widened(cuts[rank], halo))});
  }
  table.moves = transfers(table.have, table.need);
  return table;
}

/// A slab of `box` filled with `fill`: NHWC, logical order, a window of something larger, or blocked by channels.
inline Slab random_slab(Random& random, const Box& box, ElementType type, Index block, std::byte fill) {
  Slab slab;
  std::size_t n_cells = 0;
  if (block > 1 && pick(random, 0, 1) == 0) {
    const Index blocks = (box[1].size() + block - 1) / block;
    const Index h = box[2].size();
    const Index w = box[3].size();
    slab.view = {.box = box, .strides = {blocks * h * w * block, h * w * block, w * block, block}};
    slab.view.channel_block = block;
    slab.view.type = type;
    n_cells = static_cast<std::size_t>(box[0].size() * slab.view.strides[0]);
  } else {
    Box around = box;
    if (pick(random, 0, 2) == 0)
      for (Interval& interval : around.axes) interval.end += pick(random, 0, 2);
    slab.view = pick(random, 0, 1) == 0 ? dense_view(around, type, nullptr) : row_major_view(around, type, nullptr);
    slab.view.box = box;
    n_cells = static_cast<std::size_t>(around.volume());
  }
  slab.memory = Blob::allocate(n_cells * size_of(type));
  std::fill_n(slab.memory.data(), slab.memory.size_bytes(), fill);
  slab.view.data = slab.memory.data();
  return slab;
}

inline Slab copy_of(const Slab& slab) {
  Slab copy{Blob::allocate(slab.memory.size_bytes()), slab.view};
  std::copy_n(slab.memory.data(), slab.memory.size_bytes(), copy.memory.data());
  copy.view.data = copy.memory.data();
  return copy;
}

/// Random bytes, or where cells are to be rounded numbers of a few magnitudes and now and then none.
inline void fill_tensor(Blob& memory, Random& values, TransferType type) {
  if (type == TransferType::f32) {
    for (std::size_t i = 0; i < memory.size_bytes(); ++i) memory.data()[i] = static_cast<std::byte>(values());
    return;
  }
  constexpr float odd[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 0};
  for (float& cell : memory.floats()) {
    const Index kind = pick(values, 0, 60);
    const auto size = static_cast<float>(pick(values, -100000, 100000)) / 1000;
    cell = kind < 3 ? odd[kind] : kind < 10 ? size / 100 : size;
  }
}

/// What `move` brings to `dst`.
inline void expect_move(const View& tensor, const Box& move, TransferType type, const View& dst) {
  if (type == TransferType::f32) {
    copy_box(tensor, dst, move);
    return;
  }
  std::vector<float> cells(static_cast<std::size_t>(move.volume()));
  const View view = dense_view(move, ElementType::f32, reinterpret_cast<std::byte*>(cells.data()));
  copy_box(tensor, view, move);
  round_cells(cells, type);
  copy_box(view, dst, move);
}

/// One NaN is as good as another.
inline void make_nans_alike(Slab& slab) {
  for (float& cell : slab.memory.floats())
    if (std::isnan(cell)) cell = std::numeric_limits<float>::quiet_NaN();
}

/// Carries out `table` for several frames with other values in each. Collective.
inline void check_table(comm::Communicator& communicator, const Table& table, unsigned seed,
                        TransferType wanted = TransferType::f32) {
  const TransferType type = table.type == ElementType::f32 ? wanted : TransferType::f32;
  const int rank = communicator.rank();
  const auto me = static_cast<std::size_t>(rank);
  Random own(seed * 64 + static_cast<unsigned>(rank));
  BoxList kept = table.have[me];
  for (const Transfer& move : table.moves)
    if (move.dst == rank) kept.push_back(move.box);
  constexpr std::byte untouched{0xA5};
  const Slab empty = random_slab(own, hull(kept, table.shape.size()), table.type, table.block, untouched);
  Slab slab = copy_of(empty);

  std::vector<comm::Message> sends;
  std::vector<comm::Message> receives;
  std::size_t sent = 0;
  std::size_t received = 0;
  for (const Transfer& move : table.moves) {
    const std::size_t n_bytes = type == TransferType::f32
                                    ? dense_bytes(move.box, table.type)
                                    : rounded_bytes(static_cast<std::size_t>(move.box.volume()), type);
    if (move.src == rank) sends.push_back({move.dst, slab.view.window(move.box), type});
    if (move.src == rank) sent += n_bytes;
    if (move.dst == rank) receives.push_back({move.src, slab.view.window(move.box), type});
    if (move.dst == rank) received += n_bytes;
  }
  const auto messages = communicator.redistribution(3, std::move(sends), std::move(receives));
  EXPECT_EQ(messages->sent_bytes(), sent);
  EXPECT_EQ(messages->received_bytes(), received);

  const Box all = whole(table.shape);
  Blob memory = Blob::allocate(dense_bytes(all, table.type));
  const View tensor = dense_view(all, table.type, memory.data());
  for (unsigned frame = 0; frame < 3; ++frame) {
    Random values(seed * 8 + frame);
    fill_tensor(memory, values, type);
    std::copy_n(empty.memory.data(), empty.memory.size_bytes(), slab.memory.data());
    Slab expected = copy_of(empty);
    for (const Box& box : table.have[me]) {
      copy_box(tensor, expected.view, box);
      copy_box(tensor, slab.view, box);
    }
    for (const Transfer& move : table.moves)
      if (move.dst == rank) expect_move(tensor, move.box, type, expected.view);
    messages->start();
    // One frame is polled as an executor does between two kernels, the others wait.
    if (frame == 1) (void)messages->poke();
    messages->finish_receives(std::chrono::seconds(20));
    EXPECT_TRUE(messages->poke());
    messages->finish_sends(std::chrono::seconds(20));
    if (type != TransferType::f32) {
      make_nans_alike(slab);
      make_nans_alike(expected);
    }
    ASSERT_TRUE(std::equal(slab.memory.data(), slab.memory.data() + slab.memory.size_bytes(), expected.memory.data()))
        << "rank " << rank << ", frame " << frame << ", tensor " << to_string(table.shape) << ", slab "
        << to_string(slab.view.box);
  }
}

}  // namespace strake::test

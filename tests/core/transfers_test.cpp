// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "core/plan.hpp"
#include "core/random.hpp"

namespace strake {
namespace {

using test::Cell;
using test::cells_of;
using test::pick;
using test::Random;

struct Table {
  std::vector<BoxList> have;
  std::vector<BoxList> need;
};

// Random boxes for all ranks; what nobody has, one rank gets.
Table random_table(Random& random, const Shape& shape) {
  const auto n_ranks = static_cast<std::size_t>(pick(random, 1, 8));
  Table table{.have = std::vector<BoxList>(n_ranks), .need = std::vector<BoxList>(n_ranks)};
  BoxList all;
  for (std::size_t rank = 0; rank < n_ranks; ++rank) {
    for (Index count = pick(random, 0, 2); count > 0; --count) {
      const Box box = test::random_box(random, shape);
      for (Box& fresh : subtract(box, table.have[rank])) table.have[rank].push_back(std::move(fresh));
      all.push_back(box);
    }
    for (Index count = pick(random, 0, 3); count > 0; --count)
      table.need[rank].push_back(test::random_box(random, shape));
  }
  const auto last = static_cast<std::size_t>(pick(random, 0, static_cast<Index>(n_ranks) - 1));
  for (Box& rest : subtract(whole(shape), all)) table.have[last].push_back(std::move(rest));
  return table;
}

// The source by the rule in words: the nearest rank that has the cell, the lower of two.
int source_of(const std::vector<std::set<Cell>>& have, int dst, const Cell& cell) {
  int best = -1;
  for (int src = 0; src < static_cast<int>(have.size()); ++src) {
    if (!have[static_cast<std::size_t>(src)].contains(cell)) continue;
    if (best < 0 || std::abs(src - dst) < std::abs(best - dst)) best = src;
  }
  return best;
}

TEST(Transfers, BringEveryMissingCellOnceFromTheNearestRankThatHasIt) {
  Random random(30);
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE("seed 30, round " + std::to_string(round));
    const Table table = random_table(random, {pick(random, 1, 2), pick(random, 1, 4), pick(random, 1, 6)});
    std::vector<std::set<Cell>> have;
    for (const BoxList& boxes : table.have) have.push_back(cells_of(boxes));

    std::map<std::pair<int, Cell>, int> arrived;  // (destination, cell) to source
    for (const Transfer& transfer : transfers(table.have, table.need)) {
      for (const Cell& cell : cells_of(transfer.box)) {
        const bool fresh = arrived.emplace(std::pair{transfer.dst, cell}, transfer.src).second;
        EXPECT_TRUE(fresh) << "a cell of " << to_string(transfer.box) << " arrives twice";
      }
    }
    std::size_t expected = 0;
    for (int dst = 0; dst < static_cast<int>(have.size()); ++dst) {
      for (const Cell& cell : cells_of(table.need[static_cast<std::size_t>(dst)])) {
        if (have[static_cast<std::size_t>(dst)].contains(cell)) continue;
        ++expected;
        const auto found = arrived.find({dst, cell});
        ASSERT_NE(found, arrived.end()) << "a cell never arrives at rank " << dst;
        EXPECT_EQ(found->second, source_of(have, dst, cell));
      }
    }
    EXPECT_EQ(arrived.size(), expected) << "cells travel that nobody asked for";
  }
}

TEST(Transfers, AreSortedAndTheSameWhoeverAsks) {
  Random random(31);
  for (int round = 0; round < 100; ++round) {
    const Table table = random_table(random, {2, 3, 5});
    const std::vector<Transfer> list = transfers(table.have, table.need);
    EXPECT_EQ(list, transfers(table.have, table.need));
    for (std::size_t i = 1; i < list.size(); ++i)
      EXPECT_LE(std::pair(list[i - 1].src, list[i - 1].dst), std::pair(list[i].src, list[i].dst));
    for (const Transfer& transfer : list) {
      EXPECT_NE(transfer.src, transfer.dst);
      EXPECT_FALSE(transfer.box.empty());
    }
  }
}

TEST(Transfers, OfStripsAreTheHalosOfTheNeighbours) {
  const auto rows = [](Index begin, Index end) { return with_axis(whole({1, 4, 9, 5}), 2, {begin, end}); };
  const std::vector<BoxList> have = {{rows(0, 3)}, {rows(3, 6)}, {rows(6, 9)}};
  const std::vector<BoxList> need = {{rows(0, 4)}, {rows(2, 7)}, {rows(5, 9)}};
  const std::vector<Transfer> expected = {
      {0, 1, rows(2, 3)}, {1, 0, rows(3, 4)}, {1, 2, rows(5, 6)}, {2, 1, rows(6, 7)}};
  EXPECT_EQ(transfers(have, need), expected);
}

TEST(Transfers, SkipRanksThatOwnNothing) {
  const auto rows = [](Index begin, Index end) { return Box{{{begin, end}}}; };
  const std::vector<Transfer> list = transfers({{rows(0, 4)}, {}, {rows(4, 8)}}, {{rows(0, 5)}, {}, {rows(3, 8)}});
  EXPECT_EQ(list, (std::vector<Transfer>{{0, 2, rows(3, 4)}, {2, 0, rows(4, 5)}}));
}

TEST(Transfers, MoveScalars) {
  EXPECT_EQ(transfers({{whole({})}, {}}, {{}, {whole({})}}), (std::vector<Transfer>{{0, 1, whole({})}}));
}

TEST(Transfers, RoundMapsOfFloatsOnly) {
  const auto op = [](ElementType type, Attributes attributes) {
    return Op{.name = {}, .inputs = {}, .shape = {}, .type = type, .attributes = std::move(attributes)};
  };
  EXPECT_EQ(travels_as(op(ElementType::f32, Conv{}), TransferType::bf16), TransferType::bf16);
  EXPECT_EQ(travels_as(op(ElementType::f32, Input{}), TransferType::int8), TransferType::int8);
  EXPECT_EQ(travels_as(op(ElementType::f32, Conv{}), TransferType::f32), TransferType::f32);
  for (const ElementType type : {ElementType::u8, ElementType::i64, ElementType::f64, ElementType::boolean})
    EXPECT_EQ(travels_as(op(type, Input{}), TransferType::bf16), TransferType::f32) << name_of(type);
  // Sums over a map: small, and all cells behind them depend on them.
  EXPECT_EQ(travels_as(op(ElementType::f32, ReduceRows{}), TransferType::bf16), TransferType::f32);
  EXPECT_EQ(travels_as(op(ElementType::f32, ReduceParts{}), TransferType::bf16), TransferType::f32);
}

TEST(Transfers, RefuseCellsThatNobodyHas) {
  EXPECT_THROW((void)transfers({{Box{{{0, 3}}}}, {}}, {{}, {Box{{{0, 4}}}}}), Bug);
}

}  // namespace
}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#include "core/box.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"

namespace strake {
namespace {

using test::Cell;
using test::cells_of;
using test::pick;
using test::Random;
using test::random_box;

Shape random_shape(Random& random) {
  Shape shape;
  for (Index axes = pick(random, 1, 3); axes > 0; --axes) shape.push_back(pick(random, 1, 5));
  return shape;
}

BoxList random_boxes(Random& random, const Shape& shape, Index most) {
  BoxList boxes;
  for (Index count = pick(random, 0, most); count > 0; --count) boxes.push_back(random_box(random, shape));
  return boxes;
}

TEST(Box, OfAScalarIsOneCell) {
  const Box scalar = whole({});
  EXPECT_FALSE(scalar.empty());
  EXPECT_EQ(scalar.volume(), 1);
  EXPECT_TRUE(nothing(0).empty());
  EXPECT_TRUE(subtract(scalar, {&scalar, 1}).empty());
}

TEST(Box, KnowsItsShapeAndVolume) {
  const Box box{{{0, 1}, {2, 5}, {4, 4 + 7}}};
  EXPECT_EQ(box.shape(), (Shape{1, 3, 7}));
  EXPECT_EQ(box.volume(), 21);
  EXPECT_EQ(with_axis(box, 1, {5, 5}).volume(), 0);
  EXPECT_TRUE(whole({1, 5, 11}).contains(box));
  EXPECT_FALSE(whole({1, 5, 10}).contains(box));
}

TEST(Box, PrintsItsIntervals) {
  EXPECT_EQ(to_string(whole({1, 64})), "[0, 1) x [0, 64)");
  EXPECT_EQ(to_string(Shape{1, 3, 224}), "1x3x224");
  EXPECT_EQ(to_string(Shape{}), "scalar");
}

TEST(Box, IntersectsAndJoinsAsItsCellsDo) {
  Random random(1);
  for (int round = 0; round < 500; ++round) {
    SCOPED_TRACE("seed 1, round " + std::to_string(round));
    const Shape shape = random_shape(random);
    const Box a = random_box(random, shape);
    const Box b = random_box(random, shape);
    const std::set<Cell> in_a = cells_of(BoxList{a});
    std::set<Cell> common;
    for (const Cell& cell : cells_of(b))
      if (in_a.contains(cell)) common.insert(cell);
    EXPECT_EQ(cells_of(BoxList{intersect(a, b)}), common);
    const std::set<Cell> cover = cells_of(BoxList{hull(a, b)});
    for (const Cell& cell : cells_of(BoxList{a, b})) EXPECT_TRUE(cover.contains(cell));
    const BoxList both = {a, b};
    EXPECT_EQ(hull(both, shape.size()).empty(), a.empty() && b.empty());
  }
}

TEST(Box, SubtractLeavesExactlyTheOtherCellsOnce) {
  Random random(2);
  for (int round = 0; round < 500; ++round) {
    SCOPED_TRACE("seed 2, round " + std::to_string(round));
    const Shape shape = random_shape(random);
    const Box box = random_box(random, shape);
    const BoxList holes = random_boxes(random, shape, 4);
    const std::set<Cell> away = cells_of(holes);
    std::set<Cell> expected;
    for (const Cell& cell : cells_of(box))
      if (!away.contains(cell)) expected.insert(cell);

    const BoxList rest = subtract(box, holes);
    Index volume = 0;
    for (const Box& piece : rest) volume += piece.volume();
    EXPECT_EQ(cells_of(rest), expected);
    EXPECT_EQ(volume, static_cast<Index>(expected.size())) << "pieces overlap";
  }
}

TEST(Box, CoveredVolumeCountsEachCellOnce) {
  Random random(3);
  for (int round = 0; round < 500; ++round) {
    SCOPED_TRACE("seed 3, round " + std::to_string(round));
    const BoxList boxes = random_boxes(random, random_shape(random), 0);
    const Shape shape = random_shape(random);
    const BoxList many = random_boxes(random, shape, 5);
    EXPECT_EQ(covered_volume(boxes), 0);
    EXPECT_EQ(covered_volume(many), static_cast<Index>(cells_of(many).size()));
  }
}

}  // namespace
}  // namespace strake

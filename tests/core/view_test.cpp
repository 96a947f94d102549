// SPDX-License-Identifier: Apache-2.0
#include "core/view.hpp"

#include <gtest/gtest.h>

#include <map>

#include "core/random.hpp"

namespace strake {
namespace {

using test::Cell;
using test::cells_of;
using test::Random;

// The place of a cell by the definition in the header.
Index element_of(const View& view, const Cell& cell) {
  Index element = 0;
  for (std::size_t axis = 0; axis < cell.size(); ++axis) {
    const Index shift = cell[axis] - view.box[axis].begin;
    if (axis == 1 && view.channel_block > 1) {
      element += shift / view.channel_block * view.strides[axis] + shift % view.channel_block;
    } else {
      element += shift * view.strides[axis];
    }
  }
  return element;
}

float& value_at(const View& view, const Cell& cell) { return view.floats()[element_of(view, cell)]; }

// nChw8c, as some kernels want it.
View blocked_view(const Box& box, std::byte* data) {
  View view = dense_view(box, ElementType::f32, data);
  view.channel_block = 8;
  const Index blocks = (box[1].size() + 7) / 8;
  view.strides = {blocks * box[2].size() * box[3].size() * 8, box[2].size() * box[3].size() * 8, box[3].size() * 8, 8};
  return view;
}

struct Storage {
  std::vector<float> values = std::vector<float>(20000, -1);
  std::byte* data() { return reinterpret_cast<std::byte*>(values.data()); }
};

TEST(View, IsDenseInTheOrderRowColumnChannel) {
  const View view = dense_view(whole({2, 3, 4, 5}), ElementType::f32, nullptr);
  EXPECT_EQ(view.strides, (std::vector<Index>{60, 1, 15, 3}));
  EXPECT_TRUE(view.dense());
  EXPECT_EQ(dense_view(whole({4, 5}), ElementType::f32, nullptr).strides, (std::vector<Index>{5, 1}));
  EXPECT_EQ(row_major_view(whole({2, 3, 4, 5}), ElementType::f32, nullptr).strides, (std::vector<Index>{60, 20, 5, 1}));
  EXPECT_FALSE(row_major_view(whole({2, 3, 4, 5}), ElementType::f32, nullptr).dense());
}

TEST(View, KnowsTheBytesOfABox) {
  EXPECT_EQ(dense_bytes(whole({2, 3}), ElementType::f32), 24U);
  EXPECT_EQ(dense_bytes(whole({2, 3}), ElementType::u8), 6U);
  EXPECT_EQ(dense_bytes(nothing(2), ElementType::f32), 0U);
  EXPECT_EQ(dense_bytes(whole({}), ElementType::f16), 2U);
}

TEST(View, RowsOfOnePictureStayDenseAndColumnsDoNot) {
  Storage memory;
  const View view = dense_view(whole({1, 3, 6, 5}), ElementType::f32, memory.data());
  EXPECT_TRUE(view.window({{{0, 1}, {0, 3}, {2, 4}, {0, 5}}}).dense());
  EXPECT_FALSE(view.window({{{0, 1}, {0, 3}, {0, 6}, {1, 4}}}).dense());
  EXPECT_TRUE(blocked_view(whole({1, 16, 6, 5}), memory.data()).dense());
}

TEST(View, WindowPointsAtTheSameCells) {
  Random random(4);
  Storage memory;
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE("seed 4, round " + std::to_string(round));
    const Shape shape = {2, 3, 7, 5};
    const View view = dense_view(test::random_full_box(random, shape), ElementType::f32, memory.data());
    Box inner = intersect(test::random_full_box(random, shape), view.box);
    if (inner.empty()) continue;
    const View window = view.window(inner);
    for (const Cell& cell : cells_of(inner)) EXPECT_EQ(&value_at(window, cell), &value_at(view, cell));
  }
}

TEST(View, RefusesAWindowThatLeavesItOrBeginsInsideABlock) {
  Storage memory;
  const View view = blocked_view(whole({1, 32, 4, 4}), memory.data());
  EXPECT_THROW((void)view.window({{{0, 1}, {0, 33}, {0, 4}, {0, 4}}}), Bug);
  EXPECT_THROW((void)view.window({{{0, 1}, {4, 16}, {0, 4}, {0, 4}}}), Bug);
  const View window = view.window({{{0, 1}, {16, 32}, {1, 4}, {0, 4}}});
  EXPECT_EQ(&value_at(window, {0, 19, 2, 3}), &value_at(view, {0, 19, 2, 3}));
}

TEST(CopyBox, CopiesEveryCellOfTheBoxAndNoOther) {
  Random random(5);
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE("seed 5, round " + std::to_string(round));
    Storage from;
    Storage to;
    const Shape shape = {2, 19, 5, 6};
    const Box all = whole(shape);
    const auto any_view = [&random](const Box& box, std::byte* data) {
      const Index layout = test::pick(random, 0, 2);
      if (layout == 0) return dense_view(box, ElementType::f32, data);
      return layout == 1 ? row_major_view(box, ElementType::f32, data) : blocked_view(box, data);
    };
    const View src = any_view(all, from.data());
    const View dst = any_view(all, to.data());
    float next = 0;
    for (const Cell& cell : cells_of(all)) value_at(src, cell) = next++;
    const Box box = test::random_box(random, shape);
    copy_box(src, dst, box);
    for (const Cell& cell : cells_of(all)) {
      const bool inside = box.contains(
          Box{{{cell[0], cell[0] + 1}, {cell[1], cell[1] + 1}, {cell[2], cell[2] + 1}, {cell[3], cell[3] + 1}}});
      EXPECT_EQ(value_at(dst, cell), inside ? value_at(src, cell) : -1);
    }
  }
}

TEST(CopyBox, CopiesOneAxisAndScalars) {
  Storage from;
  Storage to;
  for (std::size_t i = 0; i < 9; ++i) from.values[i] = static_cast<float>(i);
  const Box line = whole({9});
  copy_box(dense_view(line, ElementType::f32, from.data()), dense_view(line, ElementType::f32, to.data()), {{{2, 5}}});
  EXPECT_EQ((std::vector<float>(to.values.begin(), to.values.begin() + 6)), (std::vector<float>{-1, -1, 2, 3, 4, -1}));
  copy_box(dense_view(whole({}), ElementType::f32, from.data()), dense_view(whole({}), ElementType::f32, to.data()),
           whole({}));
  EXPECT_EQ(to.values[0], 0);
}

TEST(CopyBox, RefusesOtherTypesAndForeignCells) {
  Storage memory;
  const View floats = dense_view(whole({4}), ElementType::f32, memory.data());
  const View bytes = dense_view(whole({4}), ElementType::u8, memory.data());
  EXPECT_THROW(copy_box(floats, bytes, whole({4})), Bug);
  EXPECT_THROW(copy_box(floats, floats, whole({5})), Bug);
}

}  // namespace
}  // namespace strake

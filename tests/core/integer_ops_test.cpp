// SPDX-License-Identifier: Apache-2.0
#include "core/ops/integer_ops.hpp"

#include <gtest/gtest.h>

#include "core/interval_map.hpp"
#include "core/small_graphs.hpp"

namespace strake {
namespace {

using namespace test;

struct Made {
  Graph graph;
  OpId x = 0;
  OpId zero = 0;
  IntegerConv conv;

  OpId add(std::vector<OpId> inputs) { return add_op(graph, std::move(inputs), conv); }
};

// 3x3, padded, 4 to 6 channels, to u8.
Made made(Index groups = 1) {
  Made m;
  m.x = add_input(m.graph, {1, 4, 9, 8}, ElementType::u8);
  m.zero = add_input(m.graph, {}, ElementType::u8);
  m.conv.window = square({.kernel = 3, .pad_begin = 1, .pad_end = 1});
  m.conv.groups = groups;
  m.conv.weights = m.graph.add_weight("weights", {6, 4 / groups, 3, 3}, {}, ElementType::i8);
  m.conv.scale = m.graph.add_weight("scale", {6}, {});
  m.conv.to = ElementType::u8;
  m.conv.low = 0;
  m.conv.high = 255;
  return m;
}

TEST(IntegerConvRules, AreThoseOfAConvolution) {
  Made m = made();
  const OpId id = m.add({m.x, m.zero});
  EXPECT_EQ(m.graph.shape(id), (Shape{1, 6, 9, 8}));
  EXPECT_EQ(m.graph.op(id).type, ElementType::u8);
  const std::vector<Box> read = input_boxes(m.graph, id, Box{{{0, 1}, {2, 3}, {4, 6}, {0, 8}}});
  EXPECT_EQ(read[0], (Box{{{0, 1}, {0, 4}, {3, 7}, {0, 8}}}));
  EXPECT_TRUE(read[1].axes.empty()) << "all of a scalar";
  EXPECT_EQ(multiply_adds(m.graph, id), 6.0 * 9 * 8 * 4 * 9);
  EXPECT_TRUE(can_cut(m.graph, id, 1));
  Made grouped = made(2);
  EXPECT_FALSE(can_cut(grouped.graph, grouped.add({grouped.x, grouped.zero}), 1));
}

TEST(IntegerConvRules, ReadAResidualCellByCell) {
  Made m = made();
  const OpId residual = add_input(m.graph, {1, 6, 9, 8}, ElementType::i8);
  m.conv.residuals.push_back({});
  const OpId id = m.add({m.x, m.zero, residual});
  const Box box{{{0, 1}, {2, 3}, {4, 6}, {0, 8}}};
  EXPECT_EQ(input_boxes(m.graph, id, box)[2], box);
}

TEST(IntegerConvRules, RefuseWhatDoesNotFit) {
  const auto refuses = [](auto change) {
    Made m = made();
    std::vector<OpId> inputs = {m.x, m.zero};
    change(m, inputs);
    EXPECT_THROW(m.add(inputs), InvalidInput);
  };
  refuses([](Made& m, std::vector<OpId>& inputs) { inputs[1] = add_input(m.graph, {4}, ElementType::u8); });
  refuses([](Made& m, std::vector<OpId>& inputs) { inputs[1] = add_input(m.graph, {}, ElementType::i8); });
  refuses([](Made& m, std::vector<OpId>& inputs) { inputs[0] = add_input(m.graph, {1, 4, 9, 8}, ElementType::f32); });
  refuses([](Made& m, std::vector<OpId>&) { m.conv.weights = m.graph.add_weight("floats", {6, 4, 3, 3}, {}); });
  refuses([](Made& m, std::vector<OpId>&) { m.conv.weights = 99; });
  refuses([](Made& m, std::vector<OpId>&) { m.conv.bias = m.graph.add_weight("bias", {6}, {}); });
  refuses([](Made& m, std::vector<OpId>&) { m.conv.scale = no_weight; });
  refuses([](Made& m, std::vector<OpId>&) { m.conv.to = ElementType::i32; });
  refuses([](Made& m, std::vector<OpId>&) { m.conv.high = 256; });
  refuses([](Made& m, std::vector<OpId>&) { m.conv.residuals.push_back({}); });
}

}  // namespace
}  // namespace strake

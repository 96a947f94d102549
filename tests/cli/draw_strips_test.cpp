// SPDX-License-Identifier: Apache-2.0
#include "cli/draw_strips.hpp"

#include <gtest/gtest.h>

namespace strake::cli {
namespace {

io::Picture grey(Index h, Index w, unsigned char value) {
  return {.h = h, .w = w, .c = 1, .pixels = std::vector<unsigned char>(static_cast<std::size_t>(h * w), value)};
}

TEST(DrawStrips, PutsBothPicturesSideBySideAndColoursEachRanksRows) {
  Graph graph;
  const OpId input =
      graph.add({.name = "in", .inputs = {}, .shape = {1, 1, 40, 30}, .type = ElementType::f32, .attributes = Input{}});
  const OpId op = graph.add({.name = "abs",
                             .inputs = {input},
                             .shape = {},
                             .type = ElementType::f32,
                             .attributes = Elementwise{{ActivationKind::abs, 0, 0}}});
  Plan plan = empty_plan(graph, 2);
  plan.boxes(op, 0) = {with_axis(whole(graph.shape(op)), 2, {0, 30})};
  plan.boxes(op, 1) = {with_axis(whole(graph.shape(op)), 2, {30, 40})};

  const io::Picture drawn = draw_strips(grey(40, 30, 10), grey(40, 30, 200), graph, plan, op);
  EXPECT_EQ(drawn.h, 40);
  EXPECT_GT(drawn.w, 60);
  const auto pixel = [&](Index y, Index x) { return drawn.pixels[static_cast<std::size_t>((y * drawn.w + x) * 3)]; };
  EXPECT_NE(pixel(5, 0), pixel(35, 0));     // bars of the two ranks
  EXPECT_EQ(pixel(5, 20), 10);              // input
  EXPECT_EQ(pixel(5, drawn.w - 20), 200);   // result
  EXPECT_NE(pixel(29, 20), 10);             // the line where they meet, in the input
  EXPECT_EQ(pixel(29, drawn.w - 20), 200);  // and none in the result: a seam would be seen
}

}  // namespace
}  // namespace strake::cli

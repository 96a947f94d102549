// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_input.hpp"

#include <gtest/gtest.h>

#include "core/errors.hpp"

namespace strake::cli {
namespace {

// A model that only hands its input on.
Graph identity(Shape shape, ElementType type) {
  Graph graph;
  graph.add({.name = "x", .inputs = {}, .shape = std::move(shape), .type = type, .attributes = Input{}});
  const OpId last =
      graph.add({.name = "y", .inputs = {0}, .shape = graph.shape(0), .type = type, .attributes = Reshape{}});
  graph.inputs.push_back({0, "x", type});
  graph.outputs.push_back({last, "y", type});
  return graph;
}

TEST(PictureInput, BecomesWhatTheModelReads) {
  for (const ElementType type : {ElementType::f32, ElementType::u8, ElementType::f64, ElementType::i32})
    for (const bool channels_last : {false, true}) {
      const Shape shape = channels_last ? Shape{2, 5, 4, 3} : Shape{2, 3, 5, 4};
      Graph graph = identity(shape, type);
      take_pictures(graph, "x", {});
      EXPECT_EQ(graph.inputs.front().type, ElementType::u8);
      EXPECT_EQ(graph.shape(graph.inputs.front().op), (Shape{2, 3, 5, 4}));
      const Op& read = graph.op(graph.op(graph.outputs.front().op).inputs.front());
      EXPECT_EQ(read.type, type);
      EXPECT_EQ(read.shape, shape);
      for (OpId id = 1; id < graph.size(); ++id) EXPECT_LT(graph.op(id).inputs.front(), id);
    }
}

TEST(PictureInput, IsNoTruthValue) {
  Graph graph = identity({1, 3, 5, 4}, ElementType::boolean);
  EXPECT_THROW(take_pictures(graph, "x", {}), InvalidInput);
}

}  // namespace
}  // namespace strake::cli

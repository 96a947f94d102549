// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <limits>

#include "kernels/fast_activation.hpp"
#include "kernels/random_conv.hpp"

namespace strake::kernels {
namespace {

using namespace test;

constexpr Index lane = 16;
// Sums of up to 25 products of size 1 in float.
constexpr float tolerance = 5e-5F;

struct Drawn {
  Graph graph;
  OpId op = 0;
  std::vector<Values> inputs;
};

WindowAxis draw_window(Random& random, Index kernel, Index size) {
  WindowAxis axis{.kernel = kernel, .stride = pick(random, 1, 2)};
  axis.pad_begin = pick(random, 0, kernel - 1);
  axis.pad_end = pick(random, std::max<Index>(kernel - size - axis.pad_begin, 0), kernel);
  return axis;
}

// Rows of more and of fewer pixels than are computed at once, channels that leave tails, every activation that is fast.
Drawn draw(Random& random) {
  Drawn drawn;
  const Shape shape = {pick(random, 1, 2), pick(random, 1, 70), pick(random, 1, 12), pick(random, 1, 33)};
  const WindowAxis h = draw_window(random, pick(random, 1, 5), shape[2]);
  const WindowAxis w = draw_window(random, 3 + 2 * pick(random, 0, 1), shape[3]);
  Conv conv{.window = {.h = h, .w = w},
            .groups = shape[1],
            .weights = add_random_weight(drawn.graph, random, {shape[1], 1, h.kernel, w.kernel}),
            .bias = pick(random, 0, 1) == 0 ? no_weight : add_random_weight(drawn.graph, random, {shape[1]}),
            .post_ops = {}};
  const std::vector<Activation> functions = {{.kind = ActivationKind::relu},
                                             {.kind = ActivationKind::clip, .alpha = -0.5F, .beta = 2},
                                             {.kind = ActivationKind::swish, .alpha = 1},
                                             {.kind = ActivationKind::swish, .alpha = 1.7F},
                                             {.kind = ActivationKind::hard_swish},
                                             {.kind = ActivationKind::hard_sigmoid, .alpha = 0.2F, .beta = 0.5F}};
  const Index function = pick(random, -1, static_cast<Index>(functions.size()) - 1);
  if (function >= 0) conv.post_ops.emplace_back(functions[static_cast<std::size_t>(function)]);
  drawn.inputs.push_back(random_values(random, shape));
  const OpId src = add_input(drawn.graph, shape);
  drawn.op = add_op(drawn.graph, {src}, std::move(conv));
  return drawn;
}

TEST(FastDepthwise, AgreesWithTheReferenceOnRandomSlabs) {
  Random random(61);
  const int before = omp_get_max_threads();
  int n_fast = 0;
  for (int layer = 0; layer < 300; ++layer) {
    const Drawn drawn = draw(random);
    const Shape& shape = drawn.graph.shape(drawn.op);
    SCOPED_TRACE("seed 61, layer " + std::to_string(layer) + ", " + to_string(drawn.graph.shape(0)) + " to " +
                 to_string(shape));
    SlabRunner runner(drawn.graph, drawn.inputs);
    omp_set_num_threads(static_cast<int>(pick(random, 1, 3)));
    const Layout layout{.margin = pick(random, 0, 2), .residual_in_place = false, .family = Family::depthwise};
    for (const Box& slab : {whole(shape), random_slab(random, shape)}) {
      SCOPED_TRACE(to_string(slab));
      expect_close(runner.run(drawn.op, slab, Exactness::fastest, layout), runner.expected(drawn.op, slab), tolerance);
      const bool fast = runner.implementation() == "own_fast_depthwise";
      if (slab[1].size() < lane) {
        EXPECT_FALSE(fast);
      }
      n_fast += fast ? 1 : 0;
    }
  }
  EXPECT_GT(n_fast, 300);  // the others have too few channels, cover their map, or read padding only
  omp_set_num_threads(before);
}

TEST(FastDepthwise, IsNoAlternativeWhereItHasNoKernel) {
  const auto has = [](Index kernel, Index stride, Index dilation, Index groups) {
    Graph graph;
    Random random(62);
    const OpId src = add_input(graph, {1, 32, 20, 20});
    const WindowAxis axis{.kernel = kernel, .stride = stride, .dilation = dilation};
    const OpId op = add_op(graph, {src},
                           Conv{.window = {.h = axis, .w = axis},
                                .groups = groups,
                                .weights = add_random_weight(graph, random, {32, 32 / groups, kernel, kernel}),
                                .bias = no_weight,
                                .post_ops = {}});
    return alternatives(graph.op(op)) == std::vector{Family::depthwise};
  };
  EXPECT_TRUE(has(3, 1, 1, 32));
  EXPECT_TRUE(has(5, 2, 1, 32));
  EXPECT_FALSE(has(7, 1, 1, 32));
  EXPECT_FALSE(has(3, 3, 1, 32));
  EXPECT_FALSE(has(3, 1, 2, 32));
  EXPECT_FALSE(has(3, 1, 1, 16));
}

TEST(FastActivation, SiluIsAsCloseAsItSays) {
  Values values;
  for (float x = -130; x < 130; x += 0.00713F) values.push_back(x);
  Values out = values;
  apply_fast({.kind = ActivationKind::swish, .alpha = 1}, out.data(), static_cast<Index>(out.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto x = static_cast<double>(values[i]);
    const double exact = x / (1 + std::exp(-x));
    ASSERT_NEAR(out[i], exact, 4e-7 * std::max(1.0, std::abs(exact))) << x;
  }
}

TEST(FastActivation, KeepsWhatIsNoNumber) {
  for (const ActivationKind kind : {ActivationKind::swish, ActivationKind::hard_swish, ActivationKind::hard_sigmoid}) {
    float value = std::numeric_limits<float>::quiet_NaN();
    apply_fast({.kind = kind, .alpha = 1, .beta = 0.5F}, &value, 1);
    EXPECT_TRUE(std::isnan(value));
  }
}

}  // namespace
}  // namespace strake::kernels

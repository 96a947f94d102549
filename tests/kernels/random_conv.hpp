// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Random convolutions: odd and prime sizes, maps of one row, even kernels, strides, dilations, paddings, groups.

#include <array>
#include <string>

#include "kernels/slab_runner.hpp"

namespace strake::kernels::test {

struct RandomConv {
  Graph graph;
  OpId op = 0;
  std::vector<Values> inputs;
  std::string text;  // for messages
};

inline WindowAxis random_window(Random& random, Index src_size) {
  WindowAxis axis{.kernel = pick(random, 1, 7),
                  .stride = pick(random, 1, 3),
                  .dilation = pick(random, 0, 3) == 0 ? pick(random, 2, 3) : 1,
                  .pad_begin = 0,
                  .pad_end = 0};
  axis.pad_begin = pick(random, 0, axis.kernel - 1);
  axis.pad_end = pick(random, 0, axis.kernel - 1);
  // A window that does not fit once has no output.
  while (axis.reach() > src_size + axis.pad_begin + axis.pad_end) {
    if (axis.dilation > 1) {
      --axis.dilation;
    } else {
      --axis.kernel;
    }
  }
  return axis;
}

inline std::vector<PostOp> random_post_ops(Random& random, bool with_residual) {
  static const std::vector<PostOp> functions = {
      Activation{.kind = ActivationKind::relu},
      Activation{.kind = ActivationKind::clip, .alpha = 0, .beta = 6},
      Activation{.kind = ActivationKind::leaky_relu, .alpha = 0.1F},
      Activation{.kind = ActivationKind::swish, .alpha = 1},
      Activation{.kind = ActivationKind::hard_swish},
      Activation{.kind = ActivationKind::sigmoid},
      Activation{.kind = ActivationKind::tanh},
      Activation{.kind = ActivationKind::hard_sigmoid, .alpha = 0.2F, .beta = 0.5F},
      Activation{.kind = ActivationKind::elu, .alpha = 1},
  };
  const Index at = pick(random, -3, static_cast<Index>(functions.size()) - 1);
  std::vector<PostOp> post_ops(functions.begin() + std::max<Index>(at, 0),
                               functions.begin() + std::max<Index>(at + 1, 0));
  if (with_residual) post_ops.insert(post_ops.begin(), AddInput{.input = 1});
  return post_ops;
}

inline std::string text_of(const WindowAxis& w) {
  return "k" + std::to_string(w.kernel) + " s" + std::to_string(w.stride) + " d" + std::to_string(w.dilation) + " p" +
         std::to_string(w.pad_begin) + "," + std::to_string(w.pad_end);
}

inline RandomConv random_conv(Random& random, Index most_channels = 40) {
  RandomConv drawn;
  constexpr std::array<Index, 12> sizes = {1, 2, 3, 5, 7, 8, 11, 13, 14, 17, 23, 28};
  const auto size = [&] { return sizes[static_cast<std::size_t>(pick(random, 0, 11))]; };
  Index groups = 1;
  Index ic = pick(random, 1, most_channels);
  Index oc = pick(random, 1, most_channels);
  if (const Index style = pick(random, 0, 5); style == 0) {
    groups = oc = ic;  // depthwise
  } else if (style == 1) {
    groups = pick(random, 2, 4);
    ic = groups * pick(random, 1, most_channels / 4);
    oc = groups * pick(random, 1, most_channels / 4);
  } else if (style == 2) {  // what vector kernels are made for
    ic = 16 * pick(random, 1, 4);
    oc = 16 * pick(random, 1, 4);
  }
  const Shape shape = {pick(random, 0, 4) == 0 ? 2 : 1, ic, size(), size()};
  const OpId src = add_input(drawn.graph, shape);
  Window2d window{.h = random_window(random, shape[2]), .w = random_window(random, shape[3])};
  if (pick(random, 0, 2) != 0 && shape[2] == shape[3]) window.w = window.h;
  Conv conv{.window = window,
            .groups = groups,
            .weights = add_random_weight(drawn.graph, random, {oc, ic / groups, window.h.kernel, window.w.kernel}),
            .bias = pick(random, 0, 1) == 0 ? no_weight : add_random_weight(drawn.graph, random, {oc}),
            .post_ops = {}};
  drawn.inputs.push_back(random_values(random, shape));
  std::vector<OpId> sources = {src};
  if (pick(random, 0, 3) == 0) {
    const Shape dst = {shape[0], oc, output_size(window.h, shape[2], Rounding::floor),
                       output_size(window.w, shape[3], Rounding::floor)};
    sources.push_back(add_input(drawn.graph, dst));
    drawn.inputs.push_back(random_values(random, dst));
  }
  conv.post_ops = random_post_ops(random, sources.size() > 1);
  drawn.text = to_string(shape) + " to " + std::to_string(oc) + " channels, groups " + std::to_string(groups) + ", " +
               text_of(window.h) + " x " + text_of(window.w);
  drawn.op = add_op(drawn.graph, sources, std::move(conv));
  return drawn;
}

/// Rows, columns, both, or channels of an operator's output; never empty.
inline Box random_slab(Random& random, const Shape& shape) {
  const Box any = strake::test::random_full_box(random, shape);
  Box box = whole(shape);
  const Index style = pick(random, 0, 4);
  if (style == 0 || style == 2) box[2] = any[2];
  if (style == 1 || style == 2) box[3] = any[3];
  if (style == 3) box[1] = any[1];
  if (style == 4) box = any;
  return box;
}

}  // namespace strake::kernels::test

// SPDX-License-Identifier: Apache-2.0
// Small networks. MobileNetV2: Sandler et al., arXiv:1801.04381. SqueezeNet 1.1: Iandola et al., arXiv:1602.07360.

#include "onnx/zoo_networks.hpp"

namespace strake::zoo {

namespace {

Value relu6(Builder& b, const std::string& name, const Value& src) { return b.clip(name, src, 0, 6); }

Value conv_norm_relu6(Builder& b, const std::string& name, const Value& src, const ConvShape& shape) {
  return relu6(b, name + ".2", b.norm(name + ".1", b.conv(name + ".0", src, shape)));
}

struct InvertedResidual {
  Index expansion = 6;
  Index c = 0;
  Index stride = 1;
};

Value inverted_residual(Builder& b, const std::string& name, const Value& src, InvertedResidual block) {
  const Index hidden = src.c() * block.expansion;
  int layer = 0;
  const auto next = [&] { return name + ".conv." + std::to_string(layer++); };
  Value x = src;
  // What comes in has not passed an activation.
  if (block.expansion != 1) x = conv_norm_relu6(b, next(), x, {.c = hidden, .gain = 1});
  x = conv_norm_relu6(b, next(), x, {.c = hidden, .kernel = 3, .stride = block.stride, .pad = 1, .groups = hidden});
  x = b.conv(next(), x, {.c = block.c});
  const bool residual = block.stride == 1 && src.c() == block.c;
  x = b.norm(next(), x, {.gamma = residual ? 0.4F : 1.0F});
  return residual ? b.add(name + ".add", src, x) : x;
}

Value fire(Builder& b, const std::string& name, const Value& src, Index squeezed, Index expanded) {
  const Value x =
      b.relu(name + ".squeeze_activation", b.conv(name + ".squeeze", src, {.c = squeezed, .bias = Bias::random}));
  const Value one = b.conv(name + ".expand1x1", x, {.c = expanded, .bias = Bias::random});
  const Value three = b.conv(name + ".expand3x3", x, {.c = expanded, .kernel = 3, .pad = 1, .bias = Bias::random});
  return b.concat(name + ".concat",
                  {b.relu(name + ".expand1x1_activation", one), b.relu(name + ".expand3x3_activation", three)});
}

}  // namespace

void mobilenet_v2(Builder& b, ZooSize size) {
  struct Stage {
    InvertedResidual block;
    int n;
  };
  Value x = b.input("input", {1, 3, size.h, size.w});
  x = conv_norm_relu6(b, "features.0", x, {.c = 32, .kernel = 3, .stride = 2, .pad = 1});
  int layer = 1;
  for (const Stage& stage : {Stage{{1, 16, 1}, 1}, Stage{{6, 24, 2}, 2}, Stage{{6, 32, 2}, 3}, Stage{{6, 64, 2}, 4},
                             Stage{{6, 96, 1}, 3}, Stage{{6, 160, 2}, 3}, Stage{{6, 320, 1}, 1}})
    for (int i = 0; i < stage.n; ++i) {
      InvertedResidual block = stage.block;
      if (i > 0) block.stride = 1;
      x = inverted_residual(b, "features." + std::to_string(layer++), x, block);
    }
  x = conv_norm_relu6(b, "features." + std::to_string(layer), x, {.c = 1280, .gain = 1});
  x = b.flatten("flatten", b.global_average_pool("avgpool", x));
  b.output(b.fully_connected("classifier.1", x, 1000), "output");
}

void squeezenet1_1(Builder& b, ZooSize size) {
  constexpr PoolShape pool{.kernel = 3, .stride = 2, .rounding = Rounding::up};
  Value x = b.input("input", {1, 3, size.h, size.w});
  x = b.conv("features.0", x, {.c = 64, .kernel = 3, .stride = 2, .bias = Bias::random});
  x = b.max_pool("features.2", b.relu("features.1", x), pool);
  x = fire(b, "features.3", x, 16, 64);
  x = fire(b, "features.4", x, 16, 64);
  x = b.max_pool("features.5", x, pool);
  x = fire(b, "features.6", x, 32, 128);
  x = fire(b, "features.7", x, 32, 128);
  x = b.max_pool("features.8", x, pool);
  x = fire(b, "features.9", x, 48, 192);
  x = fire(b, "features.10", x, 48, 192);
  x = fire(b, "features.11", x, 64, 256);
  x = fire(b, "features.12", x, 64, 256);
  x = b.relu("classifier.2", b.conv("classifier.1", x, {.c = 1000, .bias = Bias::random}));
  b.output(b.flatten("flatten", b.global_average_pool("classifier.3", x)), "output");
}

}  // namespace strake::zoo

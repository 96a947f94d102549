// SPDX-License-Identifier: Apache-2.0
// Networks with squeeze-and-excite blocks. MobileNetV3: Howard et al., arXiv:1905.02244. EfficientNet: Tan and Le,
// arXiv:1905.11946. Layers and activations as torchvision exports them at opset 13.

#include <algorithm>

#include "onnx/zoo_networks.hpp"

namespace strake::zoo {

namespace {

enum class Function : unsigned char { none, relu, hard_swish, silu };

Value activated(Builder& b, const std::string& name, const Value& src, Function function) {
  switch (function) {
    case Function::relu:
      return b.relu(name, src);
    case Function::hard_swish:
      return b.multiply(name, src, b.hard_sigmoid(name + ".gate", src));
    case Function::silu:
      return b.multiply(name, src, b.sigmoid(name + ".gate", src));
    case Function::none:
      break;
  }
  return src;
}

// What keeps the power of a map whose values went through the function: one over the mean square that it leaves of a
// normal distribution.
float gain_behind(Function function) {
  return function == Function::none ? 1.0F : function == Function::relu ? 2.0F : 2.8F;
}

Value conv_norm(Builder& b, const std::string& name, const Value& src, const ConvShape& shape, const NormShape& norm,
                Function function) {
  return activated(b, name + ".2", b.norm(name + ".1", b.conv(name + ".0", src, shape), norm), function);
}

struct Excite {
  Index squeezed = 0;
  Function function = Function::relu;
};

// Each channel times a number between 0 and 1 that all channels' means decide.
Value excite(Builder& b, const std::string& name, const Value& src, const Excite& shape) {
  Value x = b.global_average_pool(name + ".avgpool", src);
  x = b.conv(name + ".fc1", x, {.c = shape.squeezed, .bias = Bias::random, .gain = 1});
  x = activated(b, name + ".activation", x, shape.function);
  x = b.conv(name + ".fc2", x, {.c = src.c(), .bias = Bias::random, .gain = 1});
  const std::string gate = name + ".scale_activation";
  x = shape.function == Function::relu ? b.hard_sigmoid(gate, x) : b.sigmoid(gate, x);
  return b.multiply(name + ".mul", src, x);
}

struct Block {
  Index kernel = 3;
  Index expanded = 0;
  Index c = 0;
  Index stride = 1;
  Index squeezed = 0;  // 0 for no squeeze-and-excite
  Function function = Function::relu;
};

Value inverted_residual(Builder& b, const std::string& name, const Value& src, const Block& block, float epsilon) {
  int layer = 0;
  const auto next = [&] { return name + ".block." + std::to_string(layer++); };
  const NormShape norm{.epsilon = epsilon};
  Value x = src;
  if (block.expanded != src.c()) x = conv_norm(b, next(), x, {.c = block.expanded, .gain = 1}, norm, block.function);
  x = conv_norm(b, next(), x,
                {.c = block.expanded,
                 .kernel = block.kernel,
                 .stride = block.stride,
                 .pad = block.kernel / 2,
                 .groups = block.expanded,
                 .gain = gain_behind(block.function)},
                norm, block.function);
  // MobileNetV3 squeezes with ReLU and opens with a hard sigmoid, EfficientNet uses SiLU and a sigmoid.
  const Function squeeze = block.function == Function::silu ? Function::silu : Function::relu;
  if (block.squeezed > 0) x = excite(b, next(), x, {block.squeezed, squeeze});
  // Gates are around a half.
  const float gain = gain_behind(block.function) * (block.squeezed > 0 ? 4.0F : 1.0F);
  const bool residual = block.stride == 1 && src.c() == block.c;
  x = conv_norm(b, next(), x, {.c = block.c, .gain = gain}, {.epsilon = epsilon, .gamma = residual ? 0.4F : 1.0F},
                Function::none);
  return residual ? b.add(name + ".add", x, src) : x;
}

// A quarter of the channels, rounded to a multiple of 8 that is at least 0.9 of it.
Index quarter(Index c) {
  const Index v = c / 4;
  const Index rounded = std::max<Index>(8, (v + 4) / 8 * 8);
  return 10 * rounded < 9 * v ? rounded + 8 : rounded;
}

}  // namespace

void mobilenet_v3_large(Builder& b, ZooSize size) {
  constexpr Function relu = Function::relu;
  constexpr Function swish = Function::hard_swish;
  constexpr float epsilon = 1e-3F;
  Value x = b.input("input", {1, 3, size.h, size.w});
  x = conv_norm(b, "features.0", x, {.c = 16, .kernel = 3, .stride = 2, .pad = 1}, {.epsilon = epsilon}, swish);
  int layer = 1;
  for (const Block& block :
       {Block{3, 16, 16, 1, 0, relu}, Block{3, 64, 24, 2, 0, relu}, Block{3, 72, 24, 1, 0, relu},
        Block{5, 72, 40, 2, quarter(72), relu}, Block{5, 120, 40, 1, quarter(120), relu},
        Block{5, 120, 40, 1, quarter(120), relu}, Block{3, 240, 80, 2, 0, swish}, Block{3, 200, 80, 1, 0, swish},
        Block{3, 184, 80, 1, 0, swish}, Block{3, 184, 80, 1, 0, swish}, Block{3, 480, 112, 1, quarter(480), swish},
        Block{3, 672, 112, 1, quarter(672), swish}, Block{5, 672, 160, 2, quarter(672), swish},
        Block{5, 960, 160, 1, quarter(960), swish}, Block{5, 960, 160, 1, quarter(960), swish}})
    x = inverted_residual(b, "features." + std::to_string(layer++), x, block, epsilon);
  x = conv_norm(b, "features." + std::to_string(layer), x, {.c = 960, .gain = 1}, {.epsilon = epsilon}, swish);
  x = b.flatten("flatten", b.global_average_pool("avgpool", x));
  x = activated(b, "classifier.1", b.fully_connected("classifier.0", x, 1280), swish);
  b.output(b.fully_connected("classifier.3", x, 1000), "output");
}

void efficientnet_b0(Builder& b, ZooSize size) {
  struct Stage {
    Index expansion, kernel, stride, c;
    int n;
  };
  constexpr float epsilon = 1e-5F;
  Value x = b.input("input", {1, 3, size.h, size.w});
  x = conv_norm(b, "features.0", x, {.c = 32, .kernel = 3, .stride = 2, .pad = 1}, {.epsilon = epsilon},
                Function::silu);
  int stages = 1;
  for (const Stage& stage : {Stage{1, 3, 1, 16, 1}, Stage{6, 3, 2, 24, 2}, Stage{6, 5, 2, 40, 2}, Stage{6, 3, 2, 80, 3},
                             Stage{6, 5, 1, 112, 3}, Stage{6, 5, 2, 192, 4}, Stage{6, 3, 1, 320, 1}}) {
    for (int i = 0; i < stage.n; ++i) {
      const Block block{.kernel = stage.kernel,
                        .expanded = x.c() * stage.expansion,
                        .c = stage.c,
                        .stride = i == 0 ? stage.stride : 1,
                        .squeezed = std::max<Index>(1, x.c() / 4),
                        .function = Function::silu};
      x = inverted_residual(b, "features." + std::to_string(stages) + "." + std::to_string(i), x, block, epsilon);
    }
    ++stages;
  }
  x = conv_norm(b, "features." + std::to_string(stages), x, {.c = 1280, .gain = 1}, {.epsilon = epsilon},
                Function::silu);
  x = b.flatten("flatten", b.global_average_pool("avgpool", x));
  b.output(b.fully_connected("classifier.1", x, 1000), "output");
}

}  // namespace strake::zoo

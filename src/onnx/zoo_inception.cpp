// SPDX-License-Identifier: Apache-2.0
// GoogLeNet: Szegedy et al., arXiv:1409.4842; as torchvision has it: BatchNorm, 3x3 where the paper has 5x5, and here
// without the auxiliary heads, which only training uses.

#include "onnx/zoo_networks.hpp"

namespace strake::zoo {

namespace {

Value normalized_conv(Builder& b, const std::string& name, const Value& src, const ConvShape& shape) {
  const Value x = b.norm(name + ".bn", b.conv(name + ".conv", src, shape), {.epsilon = 1e-3F});
  return b.relu(name + ".relu", x);
}

/// Channels of the four branches.
struct Inception {
  Index one;
  Index three_reduced;
  Index three;
  Index five_reduced;
  Index five;
  Index pooled;
};

Value inception(Builder& b, const std::string& name, const Value& src, const Inception& c) {
  const Value one = normalized_conv(b, name + ".branch1", src, {.c = c.one});
  Value three = normalized_conv(b, name + ".branch2.0", src, {.c = c.three_reduced});
  three = normalized_conv(b, name + ".branch2.1", three, {.c = c.three, .kernel = 3, .pad = 1});
  Value five = normalized_conv(b, name + ".branch3.0", src, {.c = c.five_reduced});
  five = normalized_conv(b, name + ".branch3.1", five, {.c = c.five, .kernel = 3, .pad = 1});
  Value pooled = b.max_pool(name + ".branch4.0", src, {.kernel = 3, .stride = 1, .pad = 1, .rounding = Rounding::up});
  pooled = normalized_conv(b, name + ".branch4.1", pooled, {.c = c.pooled});
  return b.concat(name + ".concat", {one, three, five, pooled});
}

}  // namespace

void googlenet(Builder& b, ZooSize size) {
  constexpr PoolShape pool{.kernel = 3, .stride = 2, .rounding = Rounding::up};
  Value x = b.input("input", {1, 3, size.h, size.w});
  x = normalized_conv(b, "conv1", x, {.c = 64, .kernel = 7, .stride = 2, .pad = 3});
  x = b.max_pool("maxpool1", x, pool);
  x = normalized_conv(b, "conv2", x, {.c = 64});
  x = normalized_conv(b, "conv3", x, {.c = 192, .kernel = 3, .pad = 1});
  x = b.max_pool("maxpool2", x, pool);
  x = inception(b, "inception3a", x, {64, 96, 128, 16, 32, 32});
  x = inception(b, "inception3b", x, {128, 128, 192, 32, 96, 64});
  x = b.max_pool("maxpool3", x, pool);
  x = inception(b, "inception4a", x, {192, 96, 208, 16, 48, 64});
  x = inception(b, "inception4b", x, {160, 112, 224, 24, 64, 64});
  x = inception(b, "inception4c", x, {128, 128, 256, 24, 64, 64});
  x = inception(b, "inception4d", x, {112, 144, 288, 32, 64, 64});
  x = inception(b, "inception4e", x, {256, 160, 320, 32, 128, 128});
  x = b.max_pool("maxpool4", x, {.kernel = 2, .stride = 2, .rounding = Rounding::up});
  x = inception(b, "inception5a", x, {256, 160, 320, 32, 128, 128});
  x = inception(b, "inception5b", x, {384, 192, 384, 48, 128, 128});
  x = b.flatten("flatten", b.global_average_pool("avgpool", x));
  b.output(b.fully_connected("fc", x, 1000), "output");
}

}  // namespace strake::zoo

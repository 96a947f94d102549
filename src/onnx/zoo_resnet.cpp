// SPDX-License-Identifier: Apache-2.0
// Residual networks: He et al., arXiv:1512.03385; version 1.5, where the 3x3 convolution of a bottleneck has the
// stride.

#include <array>

#include "onnx/zoo_networks.hpp"

namespace strake::zoo {

namespace {

// Sums over many blocks stay near 1 when each branch adds little.
constexpr NormShape end_of_branch{.gamma = 0.4F};

struct ResidualBlock {
  Index c = 0;  // of the inner convolutions
  Index stride = 1;
};
using BlockWriter = Value (*)(Builder&, const std::string&, const Value&, ResidualBlock);

Value joined(Builder& b, const std::string& name, const Value& branch, const Value& src, Index stride) {
  Value shortcut = src;
  if (stride != 1 || src.c() != branch.c()) {
    shortcut = b.conv(name + ".downsample.0", src, {.c = branch.c(), .stride = stride});
    shortcut = b.norm(name + ".downsample.1", shortcut);
  }
  return b.relu(name + ".relu", b.add(name + ".add", branch, shortcut));
}

Value basic(Builder& b, const std::string& name, const Value& src, ResidualBlock block) {
  Value x = b.conv(name + ".conv1", src, {.c = block.c, .kernel = 3, .stride = block.stride, .pad = 1});
  x = b.relu(name + ".relu1", b.norm(name + ".bn1", x));
  x = b.conv(name + ".conv2", x, {.c = block.c, .kernel = 3, .pad = 1});
  return joined(b, name, b.norm(name + ".bn2", x, end_of_branch), src, block.stride);
}

Value bottleneck(Builder& b, const std::string& name, const Value& src, ResidualBlock block) {
  Value x = b.conv(name + ".conv1", src, {.c = block.c});
  x = b.relu(name + ".relu1", b.norm(name + ".bn1", x));
  x = b.conv(name + ".conv2", x, {.c = block.c, .kernel = 3, .stride = block.stride, .pad = 1});
  x = b.relu(name + ".relu2", b.norm(name + ".bn2", x));
  x = b.conv(name + ".conv3", x, {.c = 4 * block.c});
  return joined(b, name, b.norm(name + ".bn3", x, end_of_branch), src, block.stride);
}

void resnet(Builder& b, ZooSize size, const std::array<int, 4>& depths, BlockWriter write_block) {
  Value x = b.input("input", {1, 3, size.h, size.w});
  x = b.conv("conv1", x, {.c = 64, .kernel = 7, .stride = 2, .pad = 3});
  x = b.relu("relu", b.norm("bn1", x));
  x = b.max_pool("maxpool", x, {.kernel = 3, .stride = 2, .pad = 1});
  Index c = 64;
  for (std::size_t stage = 0; stage < depths.size(); ++stage, c *= 2)
    for (int i = 0; i < depths[stage]; ++i) {
      const std::string name = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
      x = write_block(b, name, x, {.c = c, .stride = stage > 0 && i == 0 ? 2 : 1});
    }
  x = b.flatten("flatten", b.global_average_pool("avgpool", x));
  b.output(b.fully_connected("fc", x, 1000), "output");
}

}  // namespace

void resnet18(Builder& builder, ZooSize size) { resnet(builder, size, {2, 2, 2, 2}, basic); }

void resnet50(Builder& builder, ZooSize size) { resnet(builder, size, {3, 4, 6, 3}, bottleneck); }

}  // namespace strake::zoo

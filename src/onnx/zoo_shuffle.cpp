// SPDX-License-Identifier: Apache-2.0
// ShuffleNetV2: Ma et al., arXiv:1807.11164, with the layers of torchvision.

#include "onnx/zoo_networks.hpp"

namespace strake::zoo {

namespace {

constexpr Index n_groups = 2;

// Channels of the two halves take turns.
Value shuffled(Builder& b, const std::string& name, const Value& src) {
  const Index c = src.c();
  Value x = b.reshape(name + ".apart", src, {1, n_groups, c / n_groups, src.h(), src.w()});
  x = b.transpose(name + ".transpose", x, {0, 2, 1, 3, 4});
  return b.reshape(name + ".together", x, {1, c, src.h(), src.w()});
}

// Layers `first`, `first` + 1 and `first` + 2 of a branch: a 1x1 convolution, its norm and ReLU.
Value pointwise(Builder& b, const std::string& branch, int first, const Value& src, Index c) {
  const auto layer = [&](int offset) { return branch + "." + std::to_string(first + offset); };
  return b.relu(layer(2), b.norm(layer(1), b.conv(layer(0), src, {.c = c})));
}

// Layers `first` and `first` + 1: a depthwise 3x3 convolution and its norm.
Value depthwise(Builder& b, const std::string& branch, int first, const Value& src, Index stride) {
  const auto layer = [&](int offset) { return branch + "." + std::to_string(first + offset); };
  const ConvShape shape{.c = src.c(), .kernel = 3, .stride = stride, .pad = 1, .groups = src.c()};
  return b.norm(layer(1), b.conv(layer(0), src, shape));
}

Value block(Builder& b, const std::string& name, const Value& src, Index c, Index stride) {
  const Index half = c / 2;
  const std::string first = name + ".branch1";
  const std::string second = name + ".branch2";
  std::vector<Value> parts{src, src};
  if (stride == 1)
    parts = b.split(name + ".chunk", src, {half, half});
  else
    parts[0] = pointwise(b, first, 2, depthwise(b, first, 0, src, stride), half);
  Value x = pointwise(b, second, 0, parts[1], half);
  x = pointwise(b, second, 5, depthwise(b, second, 3, x, stride), half);
  return shuffled(b, name + ".shuffle", b.concat(name + ".concat", {parts[0], x}));
}

}  // namespace

void shufflenet_v2_x1_0(Builder& b, ZooSize size) {
  struct Stage {
    Index c;
    int n;
  };
  Value x = b.input("input", {1, 3, size.h, size.w});
  x = b.conv("conv1.0", x, {.c = 24, .kernel = 3, .stride = 2, .pad = 1});
  x = b.relu("conv1.2", b.norm("conv1.1", x));
  x = b.max_pool("maxpool", x, {.kernel = 3, .stride = 2, .pad = 1});
  int number = 2;
  for (const Stage& stage : {Stage{116, 4}, Stage{232, 8}, Stage{464, 4}}) {
    for (int i = 0; i < stage.n; ++i)
      x = block(b, "stage" + std::to_string(number) + "." + std::to_string(i), x, stage.c, i == 0 ? 2 : 1);
    ++number;
  }
  x = pointwise(b, "conv5", 0, x, 1024);
  b.output(b.fully_connected("fc", b.mean_of_map("mean", x), 1000), "output");
}

}  // namespace strake::zoo

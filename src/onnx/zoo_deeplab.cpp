// SPDX-License-Identifier: Apache-2.0
// DeepLabV3: Chen et al., arXiv:1706.05587, on a ResNet-50 whose last two stages are dilated instead of strided; with
// the layers of torchvision's deeplabv3_resnet50 without its auxiliary classifier, which training needs.

#include "onnx/zoo_networks.hpp"

namespace strake::zoo {

namespace {

struct DilatedBlock {
  Index c = 0;  // of the inner convolutions
  Index stride = 1;
  Index dilation = 1;
};

Value bottleneck(Builder& b, const std::string& name, const Value& src, const DilatedBlock& block) {
  Value x = b.conv(name + ".conv1", src, {.c = block.c});
  x = b.relu(name + ".relu1", b.norm(name + ".bn1", x));
  x = b.conv(name + ".conv2", x,
             {.c = block.c, .kernel = 3, .stride = block.stride, .pad = block.dilation, .dilation = block.dilation});
  x = b.relu(name + ".relu2", b.norm(name + ".bn2", x));
  x = b.norm(name + ".bn3", b.conv(name + ".conv3", x, {.c = 4 * block.c}), {.gamma = 0.4F});
  Value shortcut = src;
  if (src.c() != x.c()) {
    shortcut = b.conv(name + ".downsample.0", src, {.c = x.c(), .stride = block.stride});
    shortcut = b.norm(name + ".downsample.1", shortcut);
  }
  return b.relu(name + ".relu", b.add(name + ".add", x, shortcut));
}

Value backbone(Builder& b, const Value& src) {
  struct Stage {
    Index c;
    int n;
    Index stride, first_dilation, dilation;
  };
  Value x = b.conv("backbone.conv1", src, {.c = 64, .kernel = 7, .stride = 2, .pad = 3});
  x = b.relu("backbone.relu", b.norm("backbone.bn1", x));
  x = b.max_pool("backbone.maxpool", x, {.kernel = 3, .stride = 2, .pad = 1});
  int number = 1;
  for (const Stage& stage :
       {Stage{64, 3, 1, 1, 1}, Stage{128, 4, 2, 1, 1}, Stage{256, 6, 1, 1, 2}, Stage{512, 3, 1, 2, 4}}) {
    for (int i = 0; i < stage.n; ++i)
      x = bottleneck(b, "backbone.layer" + std::to_string(number) + "." + std::to_string(i), x,
                     i == 0 ? DilatedBlock{stage.c, stage.stride, stage.first_dilation}
                            : DilatedBlock{stage.c, 1, stage.dilation});
    ++number;
  }
  return x;
}

Value conv_norm(Builder& b, const std::string& name, const Value& src, const ConvShape& shape, int first = 0) {
  const auto layer = [&](int offset) { return name + "." + std::to_string(first + offset); };
  return b.relu(layer(2), b.norm(layer(1), b.conv(layer(0), src, shape)));
}

// Atrous spatial pyramid pooling: the same map seen through windows of several widths, and as a whole.
Value pyramid(Builder& b, const Value& src) {
  constexpr Index c = 256;
  const std::string name = "classifier.0.convs.";
  std::vector<Value> parts{conv_norm(b, name + "0", src, {.c = c})};
  for (const Index rate : {12, 24, 36})
    parts.push_back(
        conv_norm(b, name + std::to_string(parts.size()), src, {.c = c, .kernel = 3, .pad = rate, .dilation = rate}));
  const Value mean = conv_norm(b, name + "4", b.global_average_pool(name + "4.0", src), {.c = c}, 1);
  parts.push_back(b.resize(name + "4.resize", mean, src.h(), src.w()));
  return conv_norm(b, "classifier.0.project", b.concat("classifier.0.concat", parts), {.c = c});
}

}  // namespace

void deeplabv3_resnet50(Builder& b, ZooSize size) {
  constexpr Index n_classes = 21;
  Value x = pyramid(b, backbone(b, b.input("input", {1, 3, size.h, size.w})));
  x = conv_norm(b, "classifier", x, {.c = 256, .kernel = 3, .pad = 1}, 1);
  x = b.conv("classifier.4", x, {.c = n_classes, .bias = Bias::random, .gain = 1});
  b.output(b.resize("resize", x, size.h, size.w), "output");
}

}  // namespace strake::zoo

// SPDX-License-Identifier: Apache-2.0
// U-Net: Ronneberger et al., arXiv:1505.04597, with padded convolutions and BatchNorm.

#include "onnx/zoo_networks.hpp"

namespace strake::zoo {

namespace {

Value double_conv(Builder& b, const std::string& name, const Value& src, Index c) {
  Value x = src;
  for (const int i : {0, 3}) {
    const auto layer = [&](int offset) { return name + ".double_conv." + std::to_string(i + offset); };
    x = b.conv(layer(0), x, {.c = c, .kernel = 3, .pad = 1});
    x = b.relu(layer(2), b.norm(layer(1), x));
  }
  return x;
}

}  // namespace

void unet(Builder& b, ZooSize size) {
  Value x = double_conv(b, "inc", b.input("input", {1, 3, size.h, size.w}), 64);
  std::vector<Value> skips;
  for (int depth = 1; depth <= 4; ++depth) {
    const std::string name = "down" + std::to_string(depth);
    skips.push_back(x);
    x = double_conv(b, name, b.max_pool(name + ".pool", x, {.kernel = 2, .stride = 2}), 2 * x.c());
  }
  for (int depth = 1; depth <= 4; ++depth) {
    const std::string name = "up" + std::to_string(depth);
    const Value skip = skips.back();
    skips.pop_back();
    x = b.concat(name + ".concat", {skip, b.upsampling_conv(name + ".up", x, skip.c())});
    x = double_conv(b, name + ".conv", x, skip.c());
  }
  b.output(b.conv("outc", x, {.c = 2, .bias = Bias::random, .gain = 1}), "output");
}

}  // namespace strake::zoo

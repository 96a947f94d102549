// SPDX-License-Identifier: Apache-2.0
// YOLOv3-tiny: Redmon and Farhadi, arXiv:1804.02767, and darknet's yolov3-tiny.cfg. The heads are the raw maps
// (3 anchors of 80 classes); decoding boxes is the reader's business.

#include "onnx/zoo_networks.hpp"

namespace strake::zoo {

namespace {

constexpr Index head_channels = 3 * (4 + 1 + 80);

Value leaky_conv(Builder& b, const std::string& name, const Value& src, Index c, Index kernel) {
  const Value x = b.conv(name + ".conv", src, {.c = c, .kernel = kernel, .pad = kernel / 2});
  return b.leaky_relu(name + ".leaky", b.norm(name + ".bn", x), 0.1F);
}

void head(Builder& b, const std::string& name, const Value& src) {
  const Value x = b.conv(name, src, {.c = head_channels, .bias = Bias::random, .gain = 1});
  b.output(x, "output_" + std::to_string(x.h()));
}

}  // namespace

void yolov3_tiny(Builder& b, ZooSize size) {
  // Layers are numbered as in darknet's file.
  Value x = b.input("input", {1, 3, size.h, size.w});
  Value route;
  int layer = 0;
  for (const Index c : {16, 32, 64, 128, 256}) {
    route = leaky_conv(b, std::to_string(layer++), x, c, 3);
    x = b.max_pool(std::to_string(layer++) + ".pool", route, {.kernel = 2, .stride = 2});
  }
  x = leaky_conv(b, "10", x, 512, 3);
  x = b.max_pool("11.pool", x, {.kernel = 2, .stride = 1, .pad_end = 1});
  x = leaky_conv(b, "12", x, 1024, 3);
  const Value neck = leaky_conv(b, "13", x, 256, 1);
  head(b, "15", leaky_conv(b, "14", neck, 512, 3));
  x = b.upsample("19.upsample", leaky_conv(b, "18", neck, 128, 1));
  x = b.concat("20.concat", {x, route});
  head(b, "22", leaky_conv(b, "21", x, 256, 3));
}

}  // namespace strake::zoo

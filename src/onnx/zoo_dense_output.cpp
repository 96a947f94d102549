// SPDX-License-Identifier: Apache-2.0
// Networks whose output is a map: YOLOv3-tiny's heads, U-Net.

#include <vector>

#include "core/errors.hpp"
#include "onnx/zoo_families.hpp"

namespace strake::zoo {

namespace {

std::string dark(Builder& net, const std::string& src, std::int64_t out, std::int64_t kernel) {
  const Layer layer{.out = out, .kernel = kernel, .stride = 1, .pad = kernel / 2, .groups = 1, .dilation = 1};
  return net.leaky_relu(net.batch_norm(net.conv(src, layer, false)), 0.1F);
}

std::string double_conv(Builder& net, const std::string& src, std::int64_t out) {
  std::string x = src;
  for (int i = 0; i < 2; ++i) x = net.relu(net.batch_norm(net.conv(x, {.out = out, .kernel = 3, .pad = 1}, false)));
  return x;
}

void need_multiples(const std::string& name, ZooSize size, std::int64_t of) {
  if (size.h % of != 0 || size.w % of != 0)
    throw InvalidInput(name + " wants height and width in multiples of " + std::to_string(of) + ", got " +
                       std::to_string(size.h) + "x" + std::to_string(size.w));
}

}  // namespace

void build_yolov3_tiny(Builder& net, ZooSize size) {
  need_multiples("yolov3_tiny", size, 32);
  constexpr std::int64_t head = 255;  // 3 anchors of 4 coordinates, 1 score and 80 classes
  std::string x = net.input("input", 3, size.h, size.w);
  for (const std::int64_t out : {16, 32, 64, 128}) x = net.max_pool(dark(net, x, out, 3), 2, 2);
  const std::string fine = dark(net, x, 256, 3);
  x = dark(net, net.max_pool(fine, 2, 2), 512, 3);
  // Darknet pools with stride 1 and padding at the end only; a 3x3 window with padding keeps the size as well.
  x = dark(net, net.max_pool(x, 3, 1, 1), 1024, 3);
  const std::string neck = dark(net, x, 256, 1);
  const std::string coarse = net.conv(dark(net, neck, 512, 3), {.out = head});
  const std::string up = net.upsample(dark(net, neck, 128, 1));
  const std::string fine_head = net.conv(dark(net, net.concat({up, fine}), 256, 3), {.out = head});
  net.output(coarse, "output_coarse");
  net.output(fine_head, "output_fine");
}

void build_unet(Builder& net, ZooSize size) {
  need_multiples("unet", size, 16);
  std::string x = double_conv(net, net.input("input", 3, size.h, size.w), 64);
  std::vector<std::string> skips;
  for (const std::int64_t out : {128, 256, 512, 1024}) {
    skips.push_back(x);
    x = double_conv(net, net.max_pool(x, 2, 2), out);
  }
  for (const std::int64_t out : {512, 256, 128, 64}) {
    x = double_conv(net, net.concat({skips.back(), net.conv_transpose(x, out)}), out);
    skips.pop_back();
  }
  net.output(net.conv(x, {.out = 2}), "output");
}

}  // namespace strake::zoo

// SPDX-License-Identifier: Apache-2.0
// ResNet, MobileNetV2 and DenseNet, as torchvision defines them.

#include <array>

#include "onnx/zoo_families.hpp"

namespace strake::zoo {

namespace {

// Residual branches add up: their last normalisation is scaled down so that depth does not make values grow.
constexpr float branch_gain = 0.3F;

std::string stem(Builder& net, ZooSize size) {
  std::string x = net.input("input", 3, size.h, size.w);
  x = net.relu(net.batch_norm(net.conv(x, {.out = 64, .kernel = 7, .stride = 2, .pad = 3}, false)));
  return net.max_pool(x, 3, 2, 1);
}

std::string shortcut(Builder& net, const std::string& src, std::int64_t out, std::int64_t stride) {
  if (stride == 1 && net.channels(src) == out) return src;
  return net.batch_norm(net.conv(src, {.out = out, .stride = stride}, false));
}

std::string basic_block(Builder& net, const std::string& src, std::int64_t width, std::int64_t stride) {
  std::string x = net.conv(src, {.out = width, .kernel = 3, .stride = stride, .pad = 1}, false);
  x = net.relu(net.batch_norm(x));
  x = net.batch_norm(net.conv(x, {.out = width, .kernel = 3, .pad = 1}, false), branch_gain);
  return net.relu(net.add(x, shortcut(net, src, width, stride)));
}

// v1.5: the 3x3 has the stride.
std::string bottleneck(Builder& net, const std::string& src, std::int64_t width, std::int64_t stride) {
  std::string x = net.relu(net.batch_norm(net.conv(src, {.out = width}, false)));
  x = net.conv(x, {.out = width, .kernel = 3, .stride = stride, .pad = 1}, false);
  x = net.relu(net.batch_norm(x));
  x = net.batch_norm(net.conv(x, {.out = 4 * width}, false), branch_gain);
  return net.relu(net.add(x, shortcut(net, src, 4 * width, stride)));
}

using Block = std::string (*)(Builder&, const std::string&, std::int64_t, std::int64_t);

void build_resnet(Builder& net, ZooSize size, Block block, const std::array<int, 4>& depths) {
  std::string x = stem(net, size);
  std::int64_t width = 64;
  for (std::size_t stage = 0; stage < depths.size(); ++stage, width *= 2)
    for (int i = 0; i < depths[stage]; ++i) x = block(net, x, width, stage > 0 && i == 0 ? 2 : 1);
  const std::int64_t features = net.channels(x);
  net.output(net.gemm(net.flatten(net.global_average_pool(x)), features, 1000), "output");
}

std::string relu6(Builder& net, const std::string& src, const Layer& layer) {
  return net.clip(net.batch_norm(net.conv(src, layer, false)), 0, 6);
}

std::string inverted_residual(Builder& net, const std::string& src, std::int64_t expand, std::int64_t out,
                              std::int64_t stride) {
  const std::int64_t in = net.channels(src);
  std::string x = expand == 1 ? src : relu6(net, src, {.out = in * expand});
  x = relu6(net, x, {.out = in * expand, .kernel = 3, .stride = stride, .pad = 1, .groups = in * expand});
  const bool adds = stride == 1 && in == out;
  x = net.batch_norm(net.conv(x, {.out = out}, false), adds ? branch_gain : 1.0F);
  return adds ? net.add(src, x) : x;
}

std::string dense_layer(Builder& net, const std::string& src) {
  constexpr std::int64_t growth = 32;
  std::string x = net.conv(net.relu(net.batch_norm(src)), {.out = 4 * growth}, false);
  x = net.conv(net.relu(net.batch_norm(x)), {.out = growth, .kernel = 3, .pad = 1}, false);
  return net.concat({src, x});
}

}  // namespace

void build_resnet18(Builder& net, ZooSize size) { build_resnet(net, size, basic_block, {2, 2, 2, 2}); }
void build_resnet50(Builder& net, ZooSize size) { build_resnet(net, size, bottleneck, {3, 4, 6, 3}); }

void build_mobilenet_v2(Builder& net, ZooSize size) {
  struct Stage {
    std::int64_t expand, out, depth, stride;
  };
  std::string x = relu6(net, net.input("input", 3, size.h, size.w), {.out = 32, .kernel = 3, .stride = 2, .pad = 1});
  for (const Stage& stage : {Stage{1, 16, 1, 1}, Stage{6, 24, 2, 2}, Stage{6, 32, 3, 2}, Stage{6, 64, 4, 2},
                             Stage{6, 96, 3, 1}, Stage{6, 160, 3, 2}, Stage{6, 320, 1, 1}})
    for (std::int64_t i = 0; i < stage.depth; ++i)
      x = inverted_residual(net, x, stage.expand, stage.out, i == 0 ? stage.stride : 1);
  x = relu6(net, x, {.out = 1280});
  net.output(net.gemm(net.flatten(net.global_average_pool(x)), 1280, 1000), "output");
}

void build_densenet121(Builder& net, ZooSize size) {
  std::string x = stem(net, size);
  constexpr std::array<int, 4> depths = {6, 12, 24, 16};
  for (std::size_t block = 0; block < depths.size(); ++block) {
    for (int i = 0; i < depths[block]; ++i) x = dense_layer(net, x);
    if (block + 1 == depths.size()) break;
    x = net.conv(net.relu(net.batch_norm(x)), {.out = net.channels(x) / 2}, false);
    x = net.average_pool(x, 2, 2);
  }
  x = net.relu(net.batch_norm(x));
  net.output(net.gemm(net.flatten(net.global_average_pool(x)), 1024, 1000), "output");
}

}  // namespace strake::zoo

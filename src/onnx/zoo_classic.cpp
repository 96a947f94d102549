// SPDX-License-Identifier: Apache-2.0
// VGG, SqueezeNet and GoogLeNet, as torchvision defines them.

#include "core/errors.hpp"
#include "onnx/zoo_families.hpp"

namespace strake::zoo {

namespace {

std::string vgg_features(Builder& net, ZooSize size) {
  std::string x = net.input("input", 3, size.h, size.w);
  const std::vector<std::vector<std::int64_t>> stages = {
      {64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}};
  for (const auto& stage : stages) {
    for (const std::int64_t out : stage) x = net.relu(net.conv(x, {.out = out, .kernel = 3, .pad = 1}));
    x = net.max_pool(x, 2, 2);
  }
  return x;
}

std::string fire(Builder& net, const std::string& src, std::int64_t squeeze, std::int64_t expand) {
  const std::string small = net.relu(net.conv(src, {.out = squeeze}));
  const std::string one = net.relu(net.conv(small, {.out = expand}));
  const std::string three = net.relu(net.conv(small, {.out = expand, .kernel = 3, .pad = 1}));
  return net.concat({one, three});
}

std::string basic(Builder& net, const std::string& src, const Layer& layer) {
  return net.relu(net.batch_norm(net.conv(src, layer, false)));
}

// Output channels of an inception block's branches; torchvision's "5x5" branch is a 3x3 one.
struct Inception {
  std::int64_t one;
  std::int64_t three_in;
  std::int64_t three;
  std::int64_t five_in;
  std::int64_t five;
  std::int64_t pool;
};

std::string inception(Builder& net, const std::string& src, const Inception& b) {
  const std::string one = basic(net, src, {.out = b.one});
  const std::string three = basic(net, basic(net, src, {.out = b.three_in}), {.out = b.three, .kernel = 3, .pad = 1});
  const std::string five = basic(net, basic(net, src, {.out = b.five_in}), {.out = b.five, .kernel = 3, .pad = 1});
  const std::string pool = basic(net, net.max_pool(src, 3, 1, 1, true), {.out = b.pool});
  return net.concat({one, three, five, pool});
}

}  // namespace

void build_vgg16_conv(Builder& net, ZooSize size) { net.output(vgg_features(net, size), "output"); }

void build_vgg16(Builder& net, ZooSize size) {
  if (size.h / 32 != 7 || size.w / 32 != 7)
    throw InvalidInput("vgg16's classifier wants inputs of 224x224 (to 255x255); vgg16_conv takes any size from 32x32");
  std::string x = net.flatten(vgg_features(net, size));
  x = net.relu(net.gemm(x, 512 * 7 * 7, 4096));
  x = net.relu(net.gemm(x, 4096, 4096));
  net.output(net.gemm(x, 4096, 1000), "output");
}

void build_squeezenet1_1(Builder& net, ZooSize size) {
  std::string x = net.input("input", 3, size.h, size.w);
  x = net.relu(net.conv(x, {.out = 64, .kernel = 3, .stride = 2}));
  x = net.max_pool(x, 3, 2, 0, true);
  x = fire(net, fire(net, x, 16, 64), 16, 64);
  x = net.max_pool(x, 3, 2, 0, true);
  x = fire(net, fire(net, x, 32, 128), 32, 128);
  x = net.max_pool(x, 3, 2, 0, true);
  x = fire(net, fire(net, x, 48, 192), 48, 192);
  x = fire(net, fire(net, x, 64, 256), 64, 256);
  x = net.relu(net.conv(x, {.out = 1000}));
  net.output(net.flatten(net.global_average_pool(x)), "output");
}

void build_googlenet(Builder& net, ZooSize size) {
  std::string x = net.input("input", 3, size.h, size.w);
  x = net.max_pool(basic(net, x, {.out = 64, .kernel = 7, .stride = 2, .pad = 3}), 3, 2, 0, true);
  x = basic(net, basic(net, x, {.out = 64}), {.out = 192, .kernel = 3, .pad = 1});
  x = net.max_pool(x, 3, 2, 0, true);
  x = inception(net, x, {64, 96, 128, 16, 32, 32});
  x = inception(net, x, {128, 128, 192, 32, 96, 64});
  x = net.max_pool(x, 3, 2, 0, true);
  x = inception(net, x, {192, 96, 208, 16, 48, 64});
  x = inception(net, x, {160, 112, 224, 24, 64, 64});
  x = inception(net, x, {128, 128, 256, 24, 64, 64});
  x = inception(net, x, {112, 144, 288, 32, 64, 64});
  x = inception(net, x, {256, 160, 320, 32, 128, 128});
  x = net.max_pool(x, 2, 2, 0, true);
  x = inception(net, x, {256, 160, 320, 32, 128, 128});
  x = inception(net, x, {384, 192, 384, 48, 128, 128});
  net.output(net.gemm(net.flatten(net.global_average_pool(x)), 1024, 1000), "output");
}

}  // namespace strake::zoo

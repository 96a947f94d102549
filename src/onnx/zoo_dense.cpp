// SPDX-License-Identifier: Apache-2.0
// DenseNet-121: Huang et al., arXiv:1608.06993.

#include "onnx/zoo_networks.hpp"

namespace strake::zoo {

namespace {

constexpr Index growth = 32;

Value dense_layer(Builder& b, const std::string& name, const Value& src) {
  Value x = b.relu(name + ".relu1", b.norm(name + ".norm1", src));
  x = b.conv(name + ".conv1", x, {.c = 4 * growth});
  x = b.relu(name + ".relu2", b.norm(name + ".norm2", x));
  return b.conv(name + ".conv2", x, {.c = growth, .kernel = 3, .pad = 1});
}

Value dense_block(Builder& b, const std::string& name, const Value& src, int n_layers) {
  Value x = src;
  for (int i = 1; i <= n_layers; ++i) {
    const std::string layer = name + ".denselayer" + std::to_string(i);
    x = b.concat(layer + ".concat", {x, dense_layer(b, layer, x)});
  }
  return x;
}

Value transition(Builder& b, const std::string& name, const Value& src) {
  Value x = b.relu(name + ".relu", b.norm(name + ".norm", src));
  x = b.conv(name + ".conv", x, {.c = src.c() / 2});
  return b.average_pool(name + ".pool", x, {2, 2}, {2, 2});
}

}  // namespace

void densenet121(Builder& b, ZooSize size) {
  Value x = b.input("input", {1, 3, size.h, size.w});
  x = b.conv("features.conv0", x, {.c = 64, .kernel = 7, .stride = 2, .pad = 3});
  x = b.relu("features.relu0", b.norm("features.norm0", x));
  x = b.max_pool("features.pool0", x, {.kernel = 3, .stride = 2, .pad = 1});
  int block = 1;
  for (const int n_layers : {6, 12, 24, 16}) {
    if (block > 1) x = transition(b, "features.transition" + std::to_string(block - 1), x);
    x = dense_block(b, "features.denseblock" + std::to_string(block++), x, n_layers);
  }
  x = b.relu("relu", b.norm("features.norm5", x));
  x = b.flatten("flatten", b.global_average_pool("avgpool", x));
  b.output(b.fully_connected("classifier", x, 1000), "output");
}

}  // namespace strake::zoo

// SPDX-License-Identifier: Apache-2.0
// VGG-16: Simonyan and Zisserman, arXiv:1409.1556.

#include <algorithm>

#include "onnx/zoo_networks.hpp"

namespace strake::zoo {

namespace {

constexpr Index pooled = 0;

// torchvision's AdaptiveAvgPool2d(7): nothing at 224x224. Maps below 7x7 stay as they are, where torchvision repeats
// pixels; then the first fully connected layer is smaller.
Value pooled_to_seven(Builder& builder, const Value& src) {
  const auto stride = [](Index size) { return std::max<Index>(size / 7, 1); };
  const auto kernel = [&](Index size) { return size <= 7 ? 1 : size - 6 * stride(size); };
  if (src.h() <= 7 && src.w() <= 7) return src;
  return builder.average_pool("avgpool", src, {kernel(src.h()), kernel(src.w())}, {stride(src.h()), stride(src.w())});
}

Value features(Builder& builder, ZooSize size) {
  Value x = builder.input("input", {1, 3, size.h, size.w});
  int layer = 0;
  const auto name = [&layer] { return "features." + std::to_string(layer++); };
  for (const Index c :
       {Index{64}, Index{64}, pooled, Index{128}, Index{128}, pooled, Index{256}, Index{256}, Index{256}, pooled,
        Index{512}, Index{512}, Index{512}, pooled, Index{512}, Index{512}, Index{512}, pooled}) {
    if (c == pooled) {
      x = builder.max_pool(name(), x, {.kernel = 2, .stride = 2});
      continue;
    }
    x = builder.conv(name(), x, {.c = c, .kernel = 3, .pad = 1, .bias = Bias::random});
    x = builder.relu(name(), x);
  }
  return x;
}

}  // namespace

void vgg16(Builder& builder, ZooSize size) {
  Value x = pooled_to_seven(builder, features(builder, size));
  x = builder.flatten("flatten", x);
  x = builder.relu("classifier.1", builder.fully_connected("classifier.0", x, 4096, 2));
  x = builder.relu("classifier.4", builder.fully_connected("classifier.3", x, 4096, 2));
  builder.output(builder.fully_connected("classifier.6", x, 1000), "output");
}

void vgg16_conv(Builder& builder, ZooSize size) { builder.output(features(builder, size), "output"); }

}  // namespace strake::zoo

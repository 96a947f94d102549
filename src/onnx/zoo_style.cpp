// SPDX-License-Identifier: Apache-2.0
// Fast style transfer: Johnson et al., arXiv:1603.08155, with instance norms and upsampling before convolutions, as
// PyTorch's example fast_neural_style has it. Takes and gives pictures with values up to 255.

#include "onnx/zoo_networks.hpp"

namespace strake::zoo {

namespace {

struct StyleLayer {
  Index c = 0;
  Index kernel = 3;
  Index stride = 1;
  float gain = 2;
};

Value mirrored_conv(Builder& b, const std::string& name, const Value& src, const StyleLayer& layer) {
  return b.conv(
      name + ".conv2d", b.reflect(name + ".reflection_pad", src, layer.kernel / 2),
      {.c = layer.c, .kernel = layer.kernel, .stride = layer.stride, .bias = Bias::random, .gain = layer.gain});
}

Value residual(Builder& b, const std::string& name, const Value& src) {
  Value x = mirrored_conv(b, name + ".conv1", src, {.c = src.c()});
  x = b.relu(name + ".relu", b.instance_norm(name + ".in1", x));
  x = b.instance_norm(name + ".in2", mirrored_conv(b, name + ".conv2", x, {.c = src.c()}), {.gamma = 0.4F});
  return b.add(name + ".add", x, src);
}

}  // namespace

void fast_style(Builder& b, ZooSize size) {
  const auto normed = [&b](const std::string& number, const Value& x) {
    return b.relu("relu" + number, b.instance_norm("in" + number, x));
  };
  Value x = b.input("input", {1, 3, size.h, size.w});
  x = normed("1", mirrored_conv(b, "conv1", x, {.c = 32, .kernel = 9}));
  x = normed("2", mirrored_conv(b, "conv2", x, {.c = 64, .stride = 2}));
  x = normed("3", mirrored_conv(b, "conv3", x, {.c = 128, .stride = 2}));
  for (int i = 1; i <= 5; ++i) x = residual(b, "res" + std::to_string(i), x);
  x = normed("4", mirrored_conv(b, "deconv1", b.upsample("deconv1.upsample", x), {.c = 64}));
  x = normed("5", mirrored_conv(b, "deconv2", b.upsample("deconv2.upsample", x), {.c = 32}));
  // From activations around 1 to a picture's contrast.
  b.output(mirrored_conv(b, "deconv3", x, {.c = 3, .kernel = 9, .gain = 3600}), "output");
}

}  // namespace strake::zoo

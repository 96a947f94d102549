// SPDX-License-Identifier: Apache-2.0
// `edges`: a small network whose weights are formulas: smoothing at three scales, gradients, corner strength.

#include <cmath>

#include "onnx/zoo_families.hpp"

namespace strake::zoo {

namespace {

// A normalised 5x5 Gaussian of this standard deviation, in taps.
std::vector<float> gaussian(float deviation) {
  std::vector<float> weights;
  float sum = 0;
  for (int y = -2; y <= 2; ++y)
    for (int x = -2; x <= 2; ++x) {
      weights.push_back(std::exp(-static_cast<float>(x * x + y * y) / (2 * deviation * deviation)));
      sum += weights.back();
    }
  for (float& weight : weights) weight /= sum;
  return weights;
}

std::string smooth(Builder& net, const std::string& src, std::int64_t dilation, float deviation) {
  const Layer layer{.out = 1, .kernel = 5, .stride = 1, .pad = 2 * dilation, .groups = 1, .dilation = dilation};
  return net.conv_with(src, layer, gaussian(deviation));
}

// Horizontal and vertical derivatives as two channels. Source: I. Sobel, 1968.
std::string gradients(Builder& net, const std::string& src, std::int64_t dilation) {
  const Layer layer{.out = 2, .kernel = 3, .stride = 1, .pad = dilation, .groups = 1, .dilation = dilation};
  return net.conv_with(
      src, layer,
      {-0.25F, 0, 0.25F, -0.5F, 0, 0.5F, -0.25F, 0, 0.25F, -0.25F, -0.5F, -0.25F, 0, 0, 0, 0.25F, 0.5F, 0.25F});
}

// 1x1 convolution: rows of weights, one per output channel.
std::string mix(Builder& net, const std::string& src, std::int64_t out, const std::vector<float>& weights,
                const std::vector<float>& bias = {}) {
  return net.conv_with(src, {.out = out}, weights, bias);
}

// Length of the gradient, from its two channels.
std::string magnitude(Builder& net, const std::string& gradient) {
  const std::string squares = net.node("Mul", {gradient, gradient});
  // A little is added so that the root has a slope at 0.
  return net.node("Sqrt", {mix(net, squares, 1, {1, 1}, {1e-6F})});
}

// det(M) - 0.05 trace(M)^2 of the smoothed structure tensor M. Source: Harris and Stephens, 1988.
std::string corners(Builder& net, const std::string& gradient) {
  const std::string squares = net.node("Mul", {gradient, gradient});
  const std::string dx = mix(net, gradient, 1, {1, 0});
  const std::string dy = mix(net, gradient, 1, {0, 1});
  const std::string xx = smooth(net, mix(net, squares, 1, {1, 0}), 1, 1.6F);
  const std::string yy = smooth(net, mix(net, squares, 1, {0, 1}), 1, 1.6F);
  const std::string xy = smooth(net, net.node("Mul", {dx, dy}), 1, 1.6F);
  const std::string determinant = net.node("Sub", {net.node("Mul", {xx, yy}), net.node("Mul", {xy, xy})});
  const std::string trace = net.add(xx, yy);
  const std::string squared_trace = mix(net, net.node("Mul", {trace, trace}), 1, {0.05F});
  return net.relu(net.node("Sub", {determinant, squared_trace}));
}

}  // namespace

void build_edges(Builder& net, ZooSize size) {
  const std::string image = net.input("image", 3, size.h, size.w);
  // Luma of ITU-R BT.601, 0 to 1.
  const std::string grey = mix(net, image, 1, {0.299F / 255, 0.587F / 255, 0.114F / 255});
  const std::string fine = smooth(net, grey, 1, 1.0F);
  const std::string middle = smooth(net, fine, 2, 1.3F);
  const std::string coarse = smooth(net, middle, 4, 1.3F);
  const std::string fine_gradient = gradients(net, fine, 1);
  const std::string all = net.concat({magnitude(net, fine_gradient), magnitude(net, gradients(net, middle, 2)),
                                      magnitude(net, gradients(net, coarse, 4)), corners(net, fine_gradient), grey});
  // Fine edges cold, coarse ones warm, corners bright, over a dim picture.
  const std::string colours = mix(net, all, 3,
                                  {350, 500, 900, 60000, 28,   // red
                                   900, 500, 250, 50000, 34,   // green
                                   1200, 300, 60, 9000, 52});  // blue
  net.output(net.clip(colours, 0, 255), "edges");
}

}  // namespace strake::zoo

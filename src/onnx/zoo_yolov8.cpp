// SPDX-License-Identifier: Apache-2.0
// YOLOv8n as Ultralytics exports it, decoding of boxes included: SiLU, C2f blocks, SPPF, and heads that decouple boxes
// from classes. The output is (1, 4 + 80, anchors): centre, width and height in pixels, then a score for each class.

#include <array>

#include "onnx/zoo_networks.hpp"

namespace strake::zoo {

namespace {

constexpr Index n_classes = 80;
constexpr Index n_bins = 16;  // of the distribution that each side of a box is the mean of

struct Layer {
  Index c = 0;
  Index kernel = 1;
  Index stride = 1;
};

// SiLU leaves 0.36 of a normal distribution's power.
constexpr float gain = 2.8F;

Value unit(Builder& b, const std::string& name, const Value& src, const Layer& layer) {
  Value x =
      b.conv(name + ".conv", src,
             {.c = layer.c, .kernel = layer.kernel, .stride = layer.stride, .pad = layer.kernel / 2, .gain = gain});
  x = b.norm(name + ".bn", x, {.epsilon = 1e-3F});
  return b.multiply(name + ".act", x, b.sigmoid(name + ".sigmoid", x));
}

enum class Shortcut : unsigned char { none, around };

Value bottleneck(Builder& b, const std::string& name, const Value& src, Shortcut shortcut) {
  Value x = unit(b, name + ".cv1", src, {src.c(), 3});
  x = unit(b, name + ".cv2", x, {src.c(), 3});
  return shortcut == Shortcut::around ? b.add(name + ".add", src, x) : x;
}

struct Stack {
  Index c = 0;
  int n = 1;
  Shortcut shortcut = Shortcut::none;
};

// Two halves, and what each of a row of bottlenecks makes of the second: all of them are read at the end.
Value c2f(Builder& b, int number, const Value& src, const Stack& stack) {
  const std::string name = "model." + std::to_string(number);
  const Value x = unit(b, name + ".cv1", src, {stack.c});
  std::vector<Value> parts = b.split(name + ".chunk", x, {stack.c / 2, stack.c / 2});
  for (int i = 0; i < stack.n; ++i)
    parts.push_back(bottleneck(b, name + ".m." + std::to_string(i), parts.back(), stack.shortcut));
  return unit(b, name + ".cv2", b.concat(name + ".concat", parts), {stack.c});
}

Value sppf(Builder& b, const std::string& name, const Value& src) {
  std::vector<Value> parts{unit(b, name + ".cv1", src, {src.c() / 2})};
  for (int i = 0; i < 3; ++i)
    parts.push_back(b.max_pool(name + ".m." + std::to_string(i), parts.back(), {.kernel = 5, .stride = 1, .pad = 2}));
  return unit(b, name + ".cv2", b.concat(name + ".concat", parts), {src.c()});
}

// One branch of a head: two 3x3 units and a convolution.
Value branch(Builder& b, const std::string& name, const Value& src, Index hidden, Index c) {
  Value x = unit(b, name + ".0", src, {hidden, 3});
  x = unit(b, name + ".1", x, {hidden, 3});
  return b.conv(name + ".2", x, {.c = c, .bias = Bias::random, .gain = 1});
}

// Centres of the cells of all maps, (1, 2, anchors), and how many pixels a cell has, (1, anchors).
struct Anchors {
  std::vector<float> centres;
  std::vector<float> strides;
};

Anchors anchors_of(const std::array<Value, 3>& maps) {
  Anchors anchors;
  std::vector<float> ys;
  float stride = 8;
  for (const Value& map : maps) {
    for (Index y = 0; y < map.h(); ++y)
      for (Index x = 0; x < map.w(); ++x) {
        anchors.centres.push_back(static_cast<float>(x) + 0.5F);
        ys.push_back(static_cast<float>(y) + 0.5F);
        anchors.strides.push_back(stride);
      }
    stride *= 2;
  }
  anchors.centres.insert(anchors.centres.end(), ys.begin(), ys.end());
  return anchors;
}

// Distances to the four sides, each the mean of a distribution over bins, to centre and size in pixels.
Value decoded(Builder& b, const std::string& name, const Value& src, const Anchors& anchors) {
  const Index n = src.shape[2];
  Value x = b.reshape(name + ".dfl.apart", src, {1, 4, n_bins, n});
  x = b.softmax(name + ".dfl.softmax", b.transpose(name + ".dfl.transpose", x, {0, 2, 1, 3}), 1);
  std::vector<float> bins;
  for (Index i = 0; i < n_bins; ++i) bins.push_back(static_cast<float>(i));
  x = b.conv(name + ".dfl.conv", x, {.c = 1}, bins, {});
  x = b.reshape(name + ".dfl.together", x, {1, 4, n});
  const std::vector<Value> sides = b.split(name + ".sides", x, {2, 2});
  const Value centres = b.fixed(name + ".anchors", {1, 2, n}, anchors.centres);
  const Value low = b.subtract(name + ".low", centres, sides[0]);
  const Value high = b.add(name + ".high", centres, sides[1]);
  const Value half = b.fixed(name + ".half", {1, 1, 1}, {0.5F});
  const Value middle = b.multiply(name + ".middle", b.add(name + ".sum", low, high), half);
  const Value box = b.concat(name + ".box", {middle, b.subtract(name + ".size", high, low)});
  return b.multiply(name + ".pixels", box, b.fixed(name + ".strides", {1, 1, n}, anchors.strides));
}

void detect(Builder& b, const std::string& name, const std::array<Value, 3>& maps) {
  std::vector<Value> levels;
  for (const Value& map : maps) {
    const std::string level = std::to_string(levels.size());
    const Value boxes = branch(b, name + ".cv2." + level, map, 64, 4 * n_bins);
    const Value classes = branch(b, name + ".cv3." + level, map, n_classes, n_classes);
    const Value both = b.concat(name + ".concat." + level, {boxes, classes});
    levels.push_back(b.reshape(name + ".flat." + level, both, {1, both.c(), both.h() * both.w()}));
  }
  const std::vector<Value> parts =
      b.split(name + ".parts", b.concat(name + ".levels", levels, 2), {4 * n_bins, n_classes});
  const Value boxes = decoded(b, name, parts[0], anchors_of(maps));
  b.output(b.concat(name + ".output", {boxes, b.sigmoid(name + ".scores", parts[1])}), "output0");
}

}  // namespace

void yolov8n(Builder& b, ZooSize size) {
  constexpr Shortcut around = Shortcut::around;
  const auto down = [&b](int number, const Value& x, Index c) {
    return unit(b, "model." + std::to_string(number), x, {c, 3, 2});
  };
  const auto joined = [&b](int number, const Value& x, const Value& y) {
    return b.concat("model." + std::to_string(number), {x, y});
  };
  Value x = down(0, b.input("images", {1, 3, size.h, size.w}), 16);
  x = c2f(b, 2, down(1, x, 32), {32, 1, around});
  const Value p3 = c2f(b, 4, down(3, x, 64), {64, 2, around});
  const Value p4 = c2f(b, 6, down(5, p3, 128), {128, 2, around});
  const Value p5 = sppf(b, "model.9", c2f(b, 8, down(7, p4, 256), {256, 1, around}));
  const Value up4 = c2f(b, 12, joined(11, b.upsample("model.10", p5), p4), {128});
  const Value out3 = c2f(b, 15, joined(14, b.upsample("model.13", up4), p3), {64});
  const Value out4 = c2f(b, 18, joined(17, down(16, out3, 64), up4), {128});
  const Value out5 = c2f(b, 21, joined(20, down(19, out4, 128), p5), {256});
  detect(b, "model.22", {out3, out4, out5});
}

}  // namespace strake::zoo

// SPDX-License-Identifier: Apache-2.0
// A picture's edges and corners by a network whose weights are formulas: at three scales, smoothing, gradients along
// three directions, their energies (the structure tensor, Bigun and Granlund 1987) and Harris' corner strength (1988).
// Colour shows the direction of an edge, brightness its contrast; corners glow white.

#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "onnx/zoo_networks.hpp"

namespace strake::zoo {

namespace {

using Weights = std::vector<float>;

constexpr Index n_scales = 3;
constexpr Index n_directions = 3;  // 0, 60 and 120 degrees: as many as the structure tensor has components

// The binomial 1 4 6 4 1, close to a Gaussian of deviation 1, along both axes.
Weights binomial_kernel() {
  Weights kernel;
  for (const float row : {1.F, 4.F, 6.F, 4.F, 1.F})
    for (const float column : {1.F, 4.F, 6.F, 4.F, 1.F}) kernel.push_back(row * column / 256);
  return kernel;
}

// `kernel` for each channel from itself alone.
Weights for_each_channel(Index channels, const Weights& kernel) {
  Weights weights;
  for (Index c = 0; c < channels; ++c) weights.insert(weights.end(), kernel.begin(), kernel.end());
  return weights;
}

// Derivatives along the directions, by Sobel's kernels.
Weights directional_kernels() {
  Weights weights;
  for (Index direction = 0; direction < n_directions; ++direction) {
    const double angle = std::numbers::pi * static_cast<double>(direction) / n_directions;
    for (int y = -1; y <= 1; ++y)
      for (int x = -1; x <= 1; ++x) {
        const double along_x = x * (2 - std::abs(y)) / 8.0;
        const double along_y = y * (2 - std::abs(x)) / 8.0;
        weights.push_back(static_cast<float>(std::cos(angle) * along_x + std::sin(angle) * along_y));
      }
  }
  return weights;
}

Value smoothed(Builder& b, const std::string& name, const Value& src, Index dilation) {
  return b.conv(name, src, {.c = src.c(), .kernel = 5, .pad = 2 * dilation, .groups = src.c(), .dilation = dilation},
                for_each_channel(src.c(), binomial_kernel()), {});
}

// Harris' det - k trace^2 of the structure tensor, linear in contrast after two square roots.
//
// Energies E of the directions give the tensor: Jxx = E0, Jyy = (2 E1 + 2 E2 - E0) / 3, Jxy = (E1 - E2) / sqrt(3).
Value corners(Builder& b, const std::string& name, const Value& energies) {
  constexpr float k = 0.06F;
  constexpr float third = 1.F / 3;
  const float root = 1 / std::sqrt(3.F);
  const Weights jyy{-third, 2 * third, 2 * third};
  const Weights jxy{0, root, -root};
  const Weights trace{2 * third, 2 * third, 2 * third};
  const auto rows = [](Weights first, const Weights& second, const Weights& last) {
    first.insert(first.end(), second.begin(), second.end());
    first.insert(first.end(), last.begin(), last.end());
    return first;
  };
  const Value left = b.conv(name + ".left", energies, {.c = 3}, rows({1, 0, 0}, jxy, trace), {});
  const Value right = b.conv(name + ".right", energies, {.c = 3}, rows(jyy, jxy, trace), {});
  const Value products = b.multiply(name + ".products", left, right);
  const Value harris = b.conv(name + ".harris", products, {.c = 1}, {1, -1, -k}, {});
  return b.sqrt(name + ".root2", b.sqrt(name + ".root1", b.relu(name + ".positive", harris)));
}

// Contrast along each direction, and corner strength: 3 channels and 1.
std::array<Value, 2> features(Builder& b, const std::string& name, const Value& grey, Index dilation) {
  const Value gradients =
      b.conv(name + ".gradients", grey, {.c = n_directions, .kernel = 3, .pad = dilation, .dilation = dilation},
             directional_kernels(), {});
  const Value squares = b.multiply(name + ".squares", gradients, gradients);
  const Value energies = smoothed(b, name + ".energies", squares, dilation);
  return {b.sqrt(name + ".contrast", squares), corners(b, name + ".corners", energies)};
}

// 1 inside, 0 at the picture's border, where the zeros of padding would look like an edge.
Value inside(Builder& b, const Value& image) {
  const Value ones = b.conv("inside.ones", image, {.c = 1}, {0, 0, 0}, {1});
  const Value cover = smoothed(b, "inside.cover", ones, 8);
  // The cover is 11/16 on the outermost 8 rows, 15/16 on the next 8, and 1 behind them.
  return b.relu("inside", b.conv("inside.stretched", cover, {.c = 1}, {10}, {-9}));
}

// Mixes the features of all scales into red, green and blue on a dark ground.
Value painted(Builder& b, const Value& features, const Value& grey, const Value& mask) {
  // Solved so that upright edges are orange, level ones blue, and the slanted ones green and violet.
  constexpr float palette[n_directions][3] = {{0.97F, 0.24F, -0.53F}, {-0.73F, 0.94F, 0.18F}, {0.79F, -0.42F, 0.98F}};
  constexpr float edge_gain[n_scales] = {950, 750, 500};
  constexpr float corner_gain[n_scales] = {1500, 1100, 700};
  const Weights ground{6, 9, 20};
  const Weights grey_gain{10, 16, 34};
  Weights weights;
  for (std::size_t colour = 0; colour < 3; ++colour)
    for (std::size_t scale = 0; scale < n_scales; ++scale) {
      for (const auto& direction : palette) weights.push_back(direction[colour] * edge_gain[scale]);
      weights.push_back(corner_gain[scale]);
    }
  // Masked behind the mixing, where there are least channels.
  const Value lines = b.multiply("lines.inside", b.conv("lines", features, {.c = 3}, weights, {}), mask);
  const Value dim = b.conv("ground", grey, {.c = 3}, grey_gain, ground);
  return b.clip("clip", b.add("paint", lines, dim), 0, 255);
}

}  // namespace

void edges(Builder& b, ZooSize size) {
  const Value image = b.input("image", {1, 3, size.h, size.w});
  // Luma of ITU-R BT.601, from 0..255 to 0..1.
  const Value grey = b.conv("grey", image, {.c = 1}, {0.299F / 255, 0.587F / 255, 0.114F / 255}, {});
  Value smooth = grey;
  std::vector<Value> scales;
  for (Index scale = 0, dilation = 1; scale < n_scales; ++scale, dilation *= 2) {
    const std::string name = "scale" + std::to_string(scale);
    smooth = smoothed(b, name + ".smooth", smooth, dilation);
    for (Value& feature : features(b, name, smooth, dilation)) scales.push_back(std::move(feature));
  }
  b.output(painted(b, b.concat("scales", scales), grey, inside(b, image)), "edges");
}

}  // namespace strake::zoo

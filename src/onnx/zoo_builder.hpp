// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Writes networks down as ONNX, layer by layer, with weights that keep activations in a sane range.

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/box.hpp"
#include "core/errors.hpp"

namespace strake::zoo {

/// A stream of numbers whose bits are the same on every machine (the distributions of <random> are not): splitmix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  /// Close to a normal distribution of this deviation around 0 (the sum of four uniform numbers).
  [[nodiscard]] float normal(float deviation);
  [[nodiscard]] float uniform(float low, float high);

 private:
  [[nodiscard]] std::uint64_t next();
  std::uint64_t state_;
};

/// A tensor of the network: (1, c, h, w), or (1, c) behind the flattening.
struct Value {
  std::string name;
  Shape shape;
  [[nodiscard]] Index c() const { return shape[1]; }
  [[nodiscard]] Index h() const { return shape[2]; }
  [[nodiscard]] Index w() const { return shape[3]; }
};

/// A map has less than one row or column: `write` finds out which size would do.
class TooSmall : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
};

enum class Bias : unsigned char { none, random };
enum class Rounding : unsigned char { down, up };
/// `shapes_only` leaves random weights without data: for counting and for trying sizes.
enum class Fill : unsigned char { weights, shapes_only };

/// Square kernels, as all networks here have them. `pad` is on all four sides.
struct ConvShape {
  Index c = 0;  // of the output
  Index kernel = 1;
  Index stride = 1;
  Index pad = 0;
  Index groups = 1;
  Index dilation = 1;
  Bias bias = Bias::none;
  float gain = 2;  // variance of a weight times its fan-in: 2 behind a ReLU (He), 1 behind nothing
};

struct PoolShape {
  Index kernel = 2;
  Index stride = 2;
  Index pad = 0;
  Index pad_end = 0;  // at the bottom and right instead of `pad`, where larger
  Rounding rounding = Rounding::down;
};

struct WindowSize {
  Index h = 1;
  Index w = 1;
};

struct NormShape {
  float epsilon = 1e-5F;
  float gamma = 1;  // mean of the scale; below 1 for the last one of a residual branch, so that sums do not grow
};

/// Every layer's name is its node's and its output's name; weights are NAME.weight and so on, as in torchvision.
class Builder {
 public:
  Builder(const std::string& network, std::uint64_t seed, Fill fill);

  [[nodiscard]] Value input(const std::string& name, Shape shape);
  /// Gives `value`, which nothing else may read, its name as an output of the network.
  void output(const Value& value, const std::string& name);

  [[nodiscard]] Value conv(const std::string& name, const Value& src, const ConvShape& shape);
  /// A convolution with given weights (c, src.c / groups, kernel, kernel) and biases (c, or none).
  [[nodiscard]] Value conv(const std::string& name, const Value& src, const ConvShape& shape,
                           const std::vector<float>& weights, const std::vector<float>& biases);
  /// Kernel 2, stride 2, with bias: twice the rows and columns.
  [[nodiscard]] Value upsampling_conv(const std::string& name, const Value& src, Index c);
  [[nodiscard]] Value norm(const std::string& name, const Value& src, const NormShape& shape = {});
  [[nodiscard]] Value relu(const std::string& name, const Value& src) { return unary("Relu", name, src); }
  [[nodiscard]] Value sqrt(const std::string& name, const Value& src) { return unary("Sqrt", name, src); }
  [[nodiscard]] Value sigmoid(const std::string& name, const Value& src) { return unary("Sigmoid", name, src); }
  /// min(max(x / 6 + 0.5, 0), 1), as PyTorch has it.
  [[nodiscard]] Value hard_sigmoid(const std::string& name, const Value& src);
  [[nodiscard]] Value leaky_relu(const std::string& name, const Value& src, float alpha);
  [[nodiscard]] Value clip(const std::string& name, const Value& src, float low, float high);
  [[nodiscard]] Value max_pool(const std::string& name, const Value& src, const PoolShape& shape);
  [[nodiscard]] Value average_pool(const std::string& name, const Value& src, const WindowSize& kernel,
                                   const WindowSize& stride);
  [[nodiscard]] Value global_average_pool(const std::string& name, const Value& src);
  [[nodiscard]] Value add(const std::string& name, const Value& a, const Value& b) { return binary("Add", name, a, b); }
  [[nodiscard]] Value multiply(const std::string& name, const Value& a, const Value& b) {
    return binary("Mul", name, a, b);
  }
  [[nodiscard]] Value subtract(const std::string& name, const Value& a, const Value& b) {
    return binary("Sub", name, a, b);
  }
  [[nodiscard]] Value softmax(const std::string& name, const Value& src, Index axis);
  /// Mean 0 and deviation 1 in each channel, then a random scale and shift.
  [[nodiscard]] Value instance_norm(const std::string& name, const Value& src, const NormShape& shape = {});
  [[nodiscard]] Value concat(const std::string& name, const std::vector<Value>& parts, std::size_t axis = 1);
  /// Parts of these sizes along the axis.
  [[nodiscard]] std::vector<Value> split(const std::string& name, const Value& src, const std::vector<Index>& sizes,
                                         std::size_t axis = 1);
  [[nodiscard]] Value reshape(const std::string& name, const Value& src, const Shape& shape);
  [[nodiscard]] Value transpose(const std::string& name, const Value& src, const std::vector<Index>& axes);
  /// The mean of each channel, without the axes of rows and columns.
  [[nodiscard]] Value mean_of_map(const std::string& name, const Value& src);
  /// `pad` rows and columns on all four sides, mirrored at the border.
  [[nodiscard]] Value reflect(const std::string& name, const Value& src, Index pad);
  /// To these rows and columns, bilinear, corners not aligned.
  [[nodiscard]] Value resize(const std::string& name, const Value& src, Index h, Index w);
  /// Numbers that are part of the network but are not learned.
  [[nodiscard]] Value fixed(const std::string& name, const Shape& shape, const std::vector<float>& values) {
    return {constant(name, shape, values), shape};
  }
  /// Twice the rows and columns, nearest neighbour.
  [[nodiscard]] Value upsample(const std::string& name, const Value& src);
  [[nodiscard]] Value flatten(const std::string& name, const Value& src);
  [[nodiscard]] Value fully_connected(const std::string& name, const Value& src, Index c, float gain = 1);

  /// The finished model; the builder is spent.
  [[nodiscard]] onnx::ModelProto take() { return std::move(model_); }

 private:
  [[nodiscard]] Value unary(const std::string& type, const std::string& name, const Value& src);
  [[nodiscard]] Value binary(const std::string& type, const std::string& name, const Value& a, const Value& b);
  onnx::NodeProto& node(const std::string& type, const std::string& name, const std::vector<std::string>& inputs);
  onnx::NodeProto& conv_node(const std::string& name, const Value& src, const ConvShape& shape, bool biased);
  /// An initializer whose values `next` draws, one by one. @returns its name
  std::string random_weight(const std::string& name, const Shape& shape, const std::function<float()>& next);
  std::string normal_weight(const std::string& name, const Shape& shape, float deviation);
  std::string uniform_weight(const std::string& name, Index size, float low, float high);
  std::string constant(const std::string& name, const Shape& shape, const std::vector<float>& values);
  std::string constant(const std::string& name, const std::vector<Index>& values);
  onnx::TensorProto& initializer(const std::string& name, const Shape& shape);

  onnx::ModelProto model_;
  Random random_;
  Fill fill_;
};

}  // namespace strake::zoo

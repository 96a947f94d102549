// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Builds ONNX models node by node, with weights from a generator whose numbers are the same on every machine.

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace strake::zoo {

/// A 2-D layer's window; `bias` is left out where a BatchNormalization follows.
struct Layer {
  std::int64_t out = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t pad = 0;
  std::int64_t groups = 1;
  std::int64_t dilation = 1;
};

class Builder {
 public:
  Builder(const std::string& name, std::uint64_t seed);

  /// Values are called by the names of the tensors; each function gives back its output's.
  std::string input(const std::string& name, std::int64_t c, std::int64_t h, std::int64_t w);
  std::string conv(const std::string& src, const Layer& layer, bool bias = true);
  /// `gain` scales gamma: less than 1 for the last one of a residual branch keeps deep networks in range.
  std::string batch_norm(const std::string& src, float gain = 1.0F);
  std::string relu(const std::string& src) { return node("Relu", {src}); }
  std::string leaky_relu(const std::string& src, float alpha);
  std::string clip(const std::string& src, float low, float high);
  std::string max_pool(const std::string& src, std::int64_t kernel, std::int64_t stride, std::int64_t pad = 0,
                       bool ceil_mode = false);
  std::string average_pool(const std::string& src, std::int64_t kernel, std::int64_t stride);
  std::string global_average_pool(const std::string& src) { return node("GlobalAveragePool", {src}); }
  std::string add(const std::string& a, const std::string& b) { return node("Add", {a, b}); }
  std::string concat(const std::vector<std::string>& parts);
  std::string flatten(const std::string& src);
  std::string gemm(const std::string& src, std::int64_t in, std::int64_t out);
  std::string upsample(const std::string& src);
  std::string conv_transpose(const std::string& src, std::int64_t out);
  /// A convolution whose weights (out, in / groups, kernel, kernel) are given.
  std::string conv_with(const std::string& src, const Layer& layer, const std::vector<float>& weights,
                        const std::vector<float>& bias = {});
  std::string constant(const std::string& name, const std::vector<std::int64_t>& dims,
                       const std::vector<float>& values);

  std::string node(const std::string& type, const std::vector<std::string>& inputs);
  void output(const std::string& value, const std::string& name);

  /// Channels, height and width of a feature map, as built so far. @throws InvalidInput naming the network where a
  /// window no longer fits
  [[nodiscard]] std::int64_t channels(const std::string& value) const { return maps_.at(value).c; }

  /// Written beside its place and renamed. @throws InvalidInput if it cannot be written
  void write(const std::filesystem::path& file) const;

 private:
  struct Map {
    std::int64_t c = 0;
    std::int64_t h = 0;
    std::int64_t w = 0;
  };

  onnx::NodeProto& last() { return *model_.mutable_graph()->mutable_node(model_.graph().node_size() - 1); }
  void attribute(const std::string& name, std::int64_t value);
  void attribute(const std::string& name, const std::vector<std::int64_t>& values);
  void attribute(const std::string& name, float value);
  void attribute(const std::string& name, const std::string& value);
  std::string weight(const std::string& name, const std::vector<std::int64_t>& dims, std::string raw);
  std::string random_weight(const std::string& name, const std::vector<std::int64_t>& dims, float mean,
                            float deviation);
  std::string window_node(const std::string& type, const std::vector<std::string>& inputs, const Layer& layer,
                          bool ceil_mode);
  float normal();

  std::string name_;
  std::uint64_t state_;
  onnx::ModelProto model_;
  std::map<std::string, Map> maps_;
};

}  // namespace strake::zoo

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "core/rewrite/edit.hpp"
#include "core/rewrite/rewrite.hpp"

namespace strake::rewrite {

// ---- blocks that models spell out ---------------------------------------------------------------------------------

namespace {

/// Reshape to six axes, Transpose, Reshape back to a map.
struct Shuffle {
  OpId src = 0;
  Shape split;
  std::vector<int> axes;
};

std::optional<Shuffle> shuffle_of(const Graph& graph, const Op& op) {
  if (as<Reshape>(op) == nullptr || op.shape.size() != 4) return std::nullopt;
  const Op& turned = graph.op(op.inputs.front());
  const auto* transpose = as<Transpose>(turned);
  if (transpose == nullptr || turned.shape.size() != 6) return std::nullopt;
  const Op& split = graph.op(turned.inputs.front());
  if (as<Reshape>(split) == nullptr || graph.shape(split.inputs.front()).size() != 4) return std::nullopt;
  return Shuffle{split.inputs.front(), split.shape, transpose->axes};
}

// Channels split in three: they become blocks of cells.
std::optional<Attributes> as_depth_to_space(const Shuffle& shuffle, const Shape& src, const Shape& dst) {
  const Shape& s = shuffle.split;
  if (s[0] != src[0] || s[4] != src[2] || s[5] != src[3]) return std::nullopt;
  const auto fits = [&](Index c, Index h, Index w) { return dst == Shape{src[0], c, src[2] * h, src[3] * w}; };
  if (shuffle.axes == std::vector<int>{0, 1, 4, 2, 5, 3} && fits(s[1], s[2], s[3]))
    return DepthToSpace{.block_h = s[2], .block_w = s[3], .groups = s[1]};
  if (shuffle.axes == std::vector<int>{0, 3, 4, 1, 5, 2} && fits(s[3], s[1], s[2]))
    return DepthToSpace{.block_h = s[1], .block_w = s[2], .groups = 1};
  return std::nullopt;
}

// Rows and columns split in two: they become blocks of channels.
std::optional<Attributes> as_space_to_depth(const Shuffle& shuffle, const Shape& src, const Shape& dst) {
  const Shape& s = shuffle.split;
  if (s[0] != src[0] || s[1] != src[1] || s[2] * s[3] != src[2] || s[4] * s[5] != src[3]) return std::nullopt;
  if (dst != Shape{src[0], src[1] * s[3] * s[5], s[2], s[4]}) return std::nullopt;
  if (shuffle.axes == std::vector<int>{0, 3, 5, 1, 2, 4})
    return SpaceToDepth{.block_h = s[3], .block_w = s[5], .groups = 1};
  if (shuffle.axes == std::vector<int>{0, 1, 3, 5, 2, 4})
    return SpaceToDepth{.block_h = s[3], .block_w = s[5], .groups = s[1]};
  return std::nullopt;
}

}  // namespace

bool find_blocks(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>&) {
    Op& op = graph.op(id);
    const std::optional<Shuffle> shuffle = shuffle_of(graph, op);
    if (!shuffle) return false;
    const Shape& src = graph.shape(shuffle->src);
    std::optional<Attributes> found = as_depth_to_space(*shuffle, src, op.shape);
    if (!found) found = as_space_to_depth(*shuffle, src, op.shape);
    if (!found) return false;
    op.inputs = {shuffle->src};
    op.attributes = std::move(*found);
    return true;
  });
}

// ---- arithmetic behind blocks -------------------------------------------------------------------------------------

namespace {

// One value for each channel in front of the operator: that of the channel that it becomes.
WeightId spread_channels(Graph& graph, WeightId id, const DepthToSpace& blocks, Index channels) {
  if (id == no_weight) return no_weight;
  const std::span<const float> values = values_of(graph, id);
  const Index per_group = channels / blocks.groups;
  const Index cells = blocks.block_h * blocks.block_w;
  std::vector<float> all;
  for (Index c = 0; c < channels * cells; ++c) {
    const Index to = c / (per_group * cells) * per_group + c % per_group;
    all.push_back(values.size() == 1 ? values.front() : values[static_cast<std::size_t>(to)]);
  }
  const std::string name = graph.weight(id).name;
  return graph.add_weight(name, {channels * cells}, Blob::copy_of(all));
}

}  // namespace

bool lift_over_blocks(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>& uses) {
    if (as<Elementwise>(graph.op(id)) == nullptr && as<ScaleShift>(graph.op(id)) == nullptr) return false;
    const OpId above = graph.op(id).inputs.front();
    const auto* found = as<DepthToSpace>(graph.op(above));
    if (found == nullptr || !read_once(uses, above)) return false;
    const OpId source = graph.op(above).inputs.front();
    if (as<Conv>(graph.op(source)) == nullptr || !read_once(uses, source)) return false;
    const DepthToSpace blocks = *found;
    if (auto* scale_shift = as<ScaleShift>(graph.op(id))) {
      const ScaleShift before = *scale_shift;
      const Index channels = graph.shape(id)[1];
      const WeightId scale = spread_channels(graph, before.scale, blocks, channels);
      const WeightId shift = spread_channels(graph, before.shift, blocks, channels);
      *scale_shift = {scale, shift, before.post_ops};
    }
    trade_places(graph.op(id), graph.op(above));
    graph.op(above).shape = graph.shape(source);
    return true;
  });
}

}  // namespace strake::rewrite

// SPDX-License-Identifier: Apache-2.0
#include "kernels/integer_weights.hpp"

#include <algorithm>
#include <cstring>

namespace strake::kernels {

namespace {

/// Reads weights less their zero points.
class Reader {
 public:
  explicit Reader(const MakeContext& context)
      : conv_(*as<IntegerConv>(context.op())),
        type_(context.request.graph.weight(conv_.weights).type),
        shape_(context.request.graph.weight(conv_.weights).shape),
        weights_(context.weights.original(conv_.weights)) {
    if (conv_.weight_zeros == no_weight) return;
    zeros_ = context.weights.original(conv_.weight_zeros);
    has_one_zero_ = volume(context.request.graph.weight(conv_.weight_zeros).shape) == 1;
  }

  [[nodiscard]] Index taps() const { return shape_[2] * shape_[3]; }
  [[nodiscard]] Index n_in() const { return shape_[1]; }
  [[nodiscard]] Index n_out() const { return shape_[0]; }
  [[nodiscard]] Index at(Index m, Index i, Index tap) const {
    const Index zero = zeros_.empty() ? 0 : number(zeros_, has_one_zero_ ? 0 : m);
    return number(weights_, (m * n_in() + i) * taps() + tap) - zero;
  }

 private:
  [[nodiscard]] Index number(const Blob& blob, Index place) const {
    const auto bits = std::to_integer<std::uint8_t>(blob.data()[place]);
    return type_ == ElementType::u8 ? Index{bits} : Index{static_cast<std::int8_t>(bits)};
  }

  const IntegerConv& conv_;
  ElementType type_;
  const Shape& shape_;
  Blob weights_;
  Blob zeros_;
  bool has_one_zero_ = false;
};

std::size_t in_lanes(Index n) { return static_cast<std::size_t>((n + dot_lane - 1) / dot_lane * dot_lane); }

std::vector<std::int32_t> sums_of(const Reader& weights, Interval channels) {
  std::vector<std::int32_t> sums(in_lanes(channels.size()) + dot_lane, 0);
  for (Index m = channels.begin; m < channels.end; ++m) {
    Index sum = 0;
    for (Index i = 0; i < weights.n_in(); ++i)
      for (Index tap = 0; tap < weights.taps(); ++tap) sum += weights.at(m, i, tap);
    sums[static_cast<std::size_t>(m - channels.begin)] = static_cast<std::int32_t>(sum);
  }
  return sums;
}

std::vector<ChannelBlock> blocks_of(const ConvGeometry& g, Index taps, Index steps) {
  std::vector<ChannelBlock> blocks;
  const Index per_group = g.oc / g.groups;
  const Interval box = g.out_channels;
  std::size_t offset = 0;
  for (Index group = box.begin / per_group; group * per_group < box.end; ++group) {
    const Interval channels = intersect(box, {group * per_group, (group + 1) * per_group});
    for (Index first = channels.begin; first < channels.end; first += 2 * dot_lane) {
      const ChannelBlock block{.first = first - box.begin,
                               .n = std::min(2 * dot_lane, channels.end - first),
                               .group = group - box.begin / per_group,
                               .offset = offset};
      offset += static_cast<std::size_t>(taps * steps * block.lanes() * dot_lane * step_bytes);
      blocks.push_back(block);
    }
  }
  return blocks;
}

// One block, from its first channel on.
void pack_block(const Reader& weights, Index first, const ChannelBlock& block, const Dot& dot, std::byte* to) {
  const Index per_step = dot.channels_per_step;
  const Index steps = (weights.n_in() + per_step - 1) / per_step;
  for (Index m = 0; m < block.n; ++m)
    for (Index tap = 0; tap < weights.taps(); ++tap)
      for (Index i = 0; i < weights.n_in(); ++i) {
        const Index step = tap * steps + i / per_step;
        const Index place = ((step * block.lanes() + m / dot_lane) * dot_lane + m % dot_lane) * per_step + i % per_step;
        const Index value = weights.at(first + m, i, tap);
        if (per_step == 1) {
          reinterpret_cast<float*>(to)[place] = static_cast<float>(value);
        } else {
          to[place] = static_cast<std::byte>(value);
        }
      }
}

}  // namespace

bool fit_bytes(const MakeContext& context) {
  const IntegerConv& conv = *as<IntegerConv>(context.op());
  const bool plain = conv.weight_zeros == no_weight;
  if (plain && context.request.graph.weight(conv.weights).type == ElementType::i8) return true;
  const Reader weights(context);
  for (Index m = 0; m < weights.n_out(); ++m)
    for (Index i = 0; i < weights.n_in(); ++i)
      for (Index tap = 0; tap < weights.taps(); ++tap)
        if (const Index value = weights.at(m, i, tap); value < -128 || value > 127) return false;
  return true;
}

IntegerWeights pack(const MakeContext& context, const ConvGeometry& g, const Dot& dot) {
  const WeightId id = as<IntegerConv>(context.op())->weights;
  const Reader weights(context);
  const Index steps = (weights.n_in() + dot.channels_per_step - 1) / dot.channels_per_step;
  IntegerWeights result;
  result.blocks = blocks_of(g, weights.taps(), steps);
  result.sums = sums_of(weights, g.out_channels);
  // Other operators may use the weights with other zero points or groups.
  const std::string form = dot.name + std::to_string(as<IntegerConv>(context.op())->weight_zeros) + "/" +
                           std::to_string(g.groups) + to_string(g.out_channels);
  result.packed = context.weights.prepared(id, form);
  if (result.packed) return result;
  const ChannelBlock& last = result.blocks.back();
  const auto last_bytes = static_cast<std::size_t>(weights.taps() * steps * last.lanes() * dot_lane * step_bytes);
  result.packed = std::make_shared<Blob>(context.weights.allocate(last.offset + last_bytes));
  std::memset(result.packed->data(), 0, result.packed->size_bytes());
  for (const ChannelBlock& block : result.blocks)
    pack_block(weights, g.out_channels.begin + block.first, block, dot, result.packed->data() + block.offset);
  context.weights.keep(id, form, result.packed);
  return result;
}

IntegerWeights pack_channels(const MakeContext& context, const ConvGeometry& g) {
  const Reader weights(context);
  IntegerWeights result;
  result.sums = sums_of(weights, g.out_channels);
  const std::size_t width = in_lanes(g.out_channels.size());
  result.packed = std::make_shared<Blob>(
      context.weights.allocate(static_cast<std::size_t>(weights.taps()) * width * sizeof(std::int32_t)));
  std::memset(result.packed->data(), 0, result.packed->size_bytes());
  auto* to = reinterpret_cast<std::int32_t*>(result.packed->data());
  for (Index tap = 0; tap < weights.taps(); ++tap)
    for (Index m = 0; m < g.out_channels.size(); ++m)
      to[static_cast<std::size_t>(tap) * width + static_cast<std::size_t>(m)] =
          static_cast<std::int32_t>(weights.at(g.out_channels.begin + m, 0, tap));
  return result;
}

template <class T>
std::vector<T> of_channels(const MakeContext& context, WeightId id, Interval channels) {
  std::vector<T> values(in_lanes(channels.size()) + dot_lane, T{0});
  if (id == no_weight) return values;
  const Blob original = context.weights.original(id);
  std::copy_n(reinterpret_cast<const T*>(original.data()) + channels.begin, channels.size(), values.data());
  return values;
}

template std::vector<float> of_channels(const MakeContext&, WeightId, Interval);
template std::vector<std::int32_t> of_channels(const MakeContext&, WeightId, Interval);

}  // namespace strake::kernels

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/rewrite/edit.hpp"
#include "core/rewrite/rewrite.hpp"

namespace strake::rewrite {

// ---- constants ----------------------------------------------------------------------------------------------------

namespace {

/// scale[c] * x + shift[c]; empty lists stand for ones and zeros.
struct ChannelFunction {
  OpId x = 0;
  std::vector<float> scale;
  std::vector<float> shift;
};

// The constant, which broadcasts to `shape`, as one value for each channel, unless it varies along another axis.
std::optional<std::vector<float>> per_channel(const Graph& graph, OpId constant, const Shape& shape) {
  const Shape& own = graph.shape(constant);
  const std::size_t shift = shape.size() - own.size();
  for (std::size_t axis = 0; axis < own.size(); ++axis)
    if (own[axis] != 1 && axis + shift != 1) return std::nullopt;
  const std::span<const float> values = values_of(graph, as<Constant>(graph.op(constant))->value);
  std::vector<float> all(values.begin(), values.end());
  all.resize(static_cast<std::size_t>(shape[1]), all.front());
  return all;
}

std::optional<std::vector<float>> reciprocals(std::vector<float> values) {
  for (float& value : values) {
    value = 1.0F / value;
    if (!std::isnormal(value)) return std::nullopt;
  }
  return values;
}

std::vector<float> negated(std::vector<float> values) {
  for (float& value : values) value = -value;
  return values;
}

// What the operator does to the one of its operands that is no constant.
std::optional<ChannelFunction> channel_function(const Graph& graph, const Op& op, const Binary& binary) {
  const auto is_constant = [&](std::size_t i) { return as<Constant>(graph.op(op.inputs[i])) != nullptr; };
  if (is_constant(0) == is_constant(1)) return std::nullopt;
  const std::size_t which = is_constant(0) ? 0 : 1;
  const OpId x = op.inputs[1 - which];
  if (op.shape.size() < 2 || graph.shape(x) != op.shape) return std::nullopt;
  std::optional<std::vector<float>> values = per_channel(graph, op.inputs[which], op.shape);
  if (!values) return std::nullopt;
  switch (binary.kind) {
    case BinaryKind::add:
      return ChannelFunction{.x = x, .scale = {}, .shift = std::move(*values)};
    case BinaryKind::mul:
      return ChannelFunction{.x = x, .scale = std::move(*values), .shift = {}};
    case BinaryKind::sub:
      if (which == 1) return ChannelFunction{.x = x, .scale = {}, .shift = negated(std::move(*values))};
      return ChannelFunction{.x = x, .scale = std::vector<float>(values->size(), -1.0F), .shift = std::move(*values)};
    case BinaryKind::div:
      if (which == 1) values = reciprocals(std::move(*values));
      if (which == 0 || !values) return std::nullopt;
      return ChannelFunction{.x = x, .scale = std::move(*values), .shift = {}};
    case BinaryKind::max:
    case BinaryKind::min:
    case BinaryKind::pow:
      return std::nullopt;
  }
  return std::nullopt;
}

WeightId add_channel_weight(Graph& graph, const std::string& name, const std::vector<float>& values) {
  if (values.empty()) return no_weight;
  return graph.add_weight(name, {static_cast<Index>(values.size())}, Blob::copy_of(values));
}

}  // namespace

bool constants_to_scale_shift(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>&) {
    Op& op = graph.op(id);
    auto* binary = as<Binary>(op);
    if (binary == nullptr) return false;
    const std::optional<ChannelFunction> function = channel_function(graph, op, *binary);
    if (!function) return false;
    op.inputs = {function->x};
    op.attributes = ScaleShift{.scale = add_channel_weight(graph, op.name + ".scale", function->scale),
                               .shift = add_channel_weight(graph, op.name + ".shift", function->shift),
                               .post_ops = std::move(binary->post_ops)};
    return true;
  });
}

// ---- scale and shift into what stands before ----------------------------------------------------------------------

namespace {

std::vector<float> values_or(const Graph& graph, WeightId id, Index size, float otherwise) {
  if (id == no_weight) return std::vector<float>(static_cast<std::size_t>(size), otherwise);
  const std::span<const float> values = values_of(graph, id);
  return {values.begin(), values.end()};
}

// A list of floats of the operator's own, made of zeros where there was none.
std::span<float> to_change(Graph& graph, WeightId& id, const std::string& name, Index size) {
  if (id == no_weight) id = add_channel_weight(graph, name, std::vector<float>(static_cast<std::size_t>(size), 0.0F));
  return values_to_change(graph, id);
}

// values[i] = scale[i] * values[i] + shift[i]
void scale_and_shift(std::span<float> values, const std::vector<float>& scale, const std::vector<float>& shift) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = scale[i] * values[i] + shift[i];
}

// Multiplies the weights of each output channel by `scale`.
void scale_outputs(std::span<float> weights, const std::vector<float>& scale) {
  const std::size_t row = weights.size() / scale.size();
  for (std::size_t m = 0; m < scale.size(); ++m)
    for (float& weight : weights.subspan(m * row, row)) weight *= scale[m];
}

void fold_into_conv(Graph& graph, OpId conv_id, const ScaleShift& scale_shift) {
  const Index channels = graph.shape(conv_id)[1];
  const std::vector<float> scale = values_or(graph, scale_shift.scale, channels, 1);
  const std::vector<float> shift = values_or(graph, scale_shift.shift, channels, 0);
  Op& op = graph.op(conv_id);
  auto& conv = *as<Conv>(op);
  if (scale_shift.scale != no_weight) scale_outputs(values_to_change(graph, conv.weights), scale);
  if (conv.bias == no_weight && scale_shift.shift == no_weight) return;
  scale_and_shift(to_change(graph, conv.bias, op.name + ".bias", channels), scale, shift);
}

void fold_into_scale_shift(Graph& graph, OpId first_id, const ScaleShift& second) {
  const Index channels = graph.shape(first_id)[1];
  const std::vector<float> scale = values_or(graph, second.scale, channels, 1);
  const std::vector<float> shift = values_or(graph, second.shift, channels, 0);
  Op& op = graph.op(first_id);
  auto& first = *as<ScaleShift>(op);
  if (first.scale != no_weight)
    scale_and_shift(values_to_change(graph, first.scale), scale, std::vector<float>(scale.size(), 0.0F));
  else
    first.scale = second.scale;
  if (first.shift == no_weight && second.shift == no_weight) return;
  scale_and_shift(to_change(graph, first.shift, op.name + ".shift", channels), scale, shift);
}

}  // namespace

bool fold_scale_shift_backward(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>& uses) {
    const auto* found = as<ScaleShift>(graph.op(id));
    if (found == nullptr) return false;
    const OpId source = graph.op(id).inputs.front();
    const std::vector<PostOp>* before = post_ops(graph.op(source));
    if (before == nullptr || !before->empty() || !read_once(uses, source)) return false;
    const ScaleShift scale_shift = *found;
    if (as<Conv>(graph.op(source)) != nullptr)
      fold_into_conv(graph, source, scale_shift);
    else if (as<ScaleShift>(graph.op(source)) != nullptr)
      fold_into_scale_shift(graph, source, scale_shift);
    else
      return false;
    take_over(graph, source, id);
    *post_ops(graph.op(id)) = scale_shift.post_ops;
    return true;
  });
}

// ---- scale and shift into what stands behind ----------------------------------------------------------------------

namespace {

bool pads_nothing(const Window2d& window) {
  return window.h.pad_begin == 0 && window.h.pad_end == 0 && window.w.pad_begin == 0 && window.w.pad_end == 0;
}

/// The weights of a convolution, (m, c / groups, taps), seen from the channels that it reads.
class InputChannels {
 public:
  InputChannels(const Shape& weights, Index groups)
      : outputs_(weights[0]), inputs_(weights[1]), groups_(groups), taps_(weights[2] * weights[3]) {}

  /// Calls `visit(output channel, input channel, taps)` for the taps between each two channels that are joined.
  template <class T>
  void for_each(std::span<T> weights, auto&& visit) const {
    for (Index m = 0; m < outputs_; ++m) {
      for (Index i = 0; i < inputs_; ++i) {
        const Index c = m / (outputs_ / groups_) * inputs_ + i;
        const auto at = static_cast<std::size_t>((m * inputs_ + i) * taps_);
        visit(static_cast<std::size_t>(m), static_cast<std::size_t>(c),
              weights.subspan(at, static_cast<std::size_t>(taps_)));
      }
    }
  }

 private:
  Index outputs_;
  Index inputs_;
  Index groups_;
  Index taps_;
};

// What each output channel gains when its inputs are shifted. Summed in double: there may be thousands of terms.
std::vector<float> shift_of_outputs(const Graph& graph, const Conv& conv, const std::vector<float>& shift) {
  const Shape& shape = graph.weight(conv.weights).shape;
  std::vector<double> sums(static_cast<std::size_t>(shape[0]));
  InputChannels(shape, conv.groups)
      .for_each(values_of(graph, conv.weights), [&](std::size_t m, std::size_t c, std::span<const float> taps) {
        for (const float tap : taps) sums[m] += static_cast<double>(tap) * static_cast<double>(shift[c]);
      });
  std::vector<float> rounded;
  for (const double sum : sums) rounded.push_back(static_cast<float>(sum));
  return rounded;
}

void fold_into_next_conv(Graph& graph, OpId conv_id, const ScaleShift& scale_shift) {
  Op& op = graph.op(conv_id);
  auto& conv = *as<Conv>(op);
  const Index channels = graph.shape(op.inputs.front())[1];
  if (scale_shift.shift != no_weight) {
    const std::vector<float> gain = shift_of_outputs(graph, conv, values_or(graph, scale_shift.shift, channels, 0));
    const std::span<float> bias = to_change(graph, conv.bias, op.name + ".bias", op.shape[1]);
    for (std::size_t m = 0; m < bias.size(); ++m) bias[m] += gain[m];
  }
  if (scale_shift.scale == no_weight) return;
  const std::vector<float> scale = values_or(graph, scale_shift.scale, channels, 1);
  const std::span<float> weights = values_to_change(graph, conv.weights);
  InputChannels(graph.weight(conv.weights).shape, conv.groups)
      .for_each(weights, [&](std::size_t, std::size_t c, std::span<float> taps) {
        for (float& tap : taps) tap *= scale[c];
      });
}

}  // namespace

bool fold_scale_shift_forward(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>& uses) {
    const auto* conv = as<Conv>(graph.op(id));
    if (conv == nullptr) return false;
    const OpId source = graph.op(id).inputs.front();
    const auto* scale_shift = as<ScaleShift>(graph.op(source));
    if (scale_shift == nullptr || !scale_shift->post_ops.empty() || !read_once(uses, source)) return false;
    if (scale_shift->shift != no_weight && !pads_nothing(conv->window)) return false;
    fold_into_next_conv(graph, id, *scale_shift);
    graph.op(id).inputs.front() = graph.op(source).inputs.front();
    return true;
  });
}

}  // namespace strake::rewrite

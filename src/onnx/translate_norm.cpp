// SPDX-License-Identifier: Apache-2.0
// Normalisations: statistics by Reduce, and Normalize behind them.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "onnx/translator.hpp"

namespace strake::onnx_import {

namespace {

std::vector<int> axes_from(int first, std::size_t rank) {
  std::vector<int> axes(rank - static_cast<std::size_t>(first));
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

OpId mean_of(Translator& t, const Node& node, OpId x, const std::vector<int>& axes) {
  return t.add(node, {x}, Reduce{GenericReduceKind::mean, axes});
}

// The mean first, then the squares around it: the mean of squares less the square of the mean may have no digit left.
OpId variance_of(Translator& t, const Node& node, OpId x, OpId mean, const std::vector<int>& axes) {
  return t.add(node, {x, mean}, Reduce{GenericReduceKind::mean_square, axes});
}

// (c, 1, ..., 1): one value per channel of a tensor with `rank` axes.
Shape channel_shape(Index channels, std::size_t rank) {
  Shape shape(rank - 1, 1);
  shape.front() = channels;
  return shape;
}

// An input as an operator of another shape.
OpId shaped(Translator& t, const Node& node, int input, const Shape& shape) {
  if (volume(t.shape(node, input)) != volume(shape))
    throw node.error("input " + std::to_string(input) + " has shape " + to_string(t.shape(node, input)) +
                     ", expected " + to_string(shape));
  if (t.constant(node, input) != nullptr) return t.add(node, {}, Constant{t.weight(node, input)}, shape);
  return t.reshape(node, t.op(node, input), shape);
}

OpId linear(Translator& t, const Node& node, OpId x, float scale, float shift) {
  return t.add(node, {x}, Elementwise{{ActivationKind::linear, scale, shift}});
}

Shape channels_first(Translator& t, const Node& node, OpId x, std::size_t least_rank) {
  Shape shape = t.graph().shape(x);
  if (shape.size() < least_rank) throw node.error("input has shape " + to_string(shape) + ", expected (n, c, ...)");
  return shape;
}

// ---- groups of channels -------------------------------------------------------------------------------------------

/// What turns one value per channel into one per group and back.
class Groups {
 public:
  Groups(Translator& t, const Node& node, OpId x, Index n_groups)
      : t_(t), node_(node), shape_(t.graph().shape(x)), n_groups_(n_groups) {
    for (Index c = 0; c < shape_[1]; ++c) group_of_.push_back(c / (shape_[1] / n_groups));
  }

  // (n, c, 1, ...): each channel the mean of those of its group.
  [[nodiscard]] OpId averaged(OpId per_channel) const {
    if (n_groups_ == shape_[1]) return per_channel;
    const OpId grouped = t_.reshape(node_, per_channel, {shape_[0], n_groups_, shape_[1] / n_groups_});
    const OpId mean = mean_of(t_, node_, grouped, {2});
    Shape one_each(shape_.size(), 1);
    one_each[0] = shape_[0];
    one_each[1] = n_groups_;
    return spread(t_.reshape(node_, mean, one_each), 1);
  }

  // Each channel the value of its group, along `axis`.
  [[nodiscard]] OpId spread(OpId per_group, int axis) const {
    if (n_groups_ == shape_[1]) return per_group;
    return t_.add(node_, {per_group}, Gather{axis, group_of_});
  }

 private:
  Translator& t_;
  const Node& node_;
  Shape shape_;
  Index n_groups_;
  std::vector<Index> group_of_;
};

// x stays as it is cut; only values per channel are grouped. `scale` and `shift` are per channel.
OpId group_norm(Translator& t, const Node& node, OpId x, Index n_groups, OpId scale, OpId shift) {
  const Groups groups(t, node, x, n_groups);
  const std::vector<int> axes = axes_from(2, t.graph().shape(x).size());
  const OpId mean = groups.averaged(mean_of(t, node, x, axes));
  const OpId variance = groups.averaged(variance_of(t, node, x, mean, axes));
  return t.add(node, {x, mean, variance, scale, shift}, Normalize{node.number("epsilon", 1e-5F)});
}

// The map whose groups of channels a Reshape made the channels of `x`, as PyTorch writes GroupNorm; else x.
OpId ungrouped(Translator& t, OpId x) {
  const Op& op = t.graph().op(x);
  if (as<Reshape>(op) == nullptr || op.shape.size() != 3) return x;
  const OpId map = op.inputs.front();
  const Shape& shape = t.graph().shape(map);
  const bool groups = shape.size() >= 3 && shape[0] == op.shape[0] && shape[1] % op.shape[1] == 0;
  return groups ? map : x;
}

void instance_normalization(Translator& t, const Node& node) {
  const OpId x = t.op(node, 0);
  const Shape shape = channels_first(t, node, x, 3);
  const OpId map = ungrouped(t, x);
  const Groups groups(t, node, map, shape[1]);
  const Shape per_channel = channel_shape(shape[1], t.graph().shape(map).size());
  const OpId scale = groups.spread(shaped(t, node, 1, per_channel), 0);
  const OpId shift = groups.spread(shaped(t, node, 2, per_channel), 0);
  t.output(node, t.reshape(node, group_norm(t, node, map, shape[1], scale, shift), shape));
}

void group_normalization(Translator& t, const Node& node) {
  const OpId x = t.op(node, 0);
  const Shape shape = channels_first(t, node, x, 3);
  const Index n_groups = node.integer("num_groups", 1);
  if (n_groups < 1 || shape[1] % n_groups != 0)
    throw node.error("num_groups is " + std::to_string(n_groups) + ", the input has shape " + to_string(shape));
  const Groups groups(t, node, x, n_groups);
  // Before opset 21 scale and shift are per group.
  const auto per_channel = [&](int input) {
    if (node.opset() >= 21) return shaped(t, node, input, channel_shape(shape[1], shape.size()));
    return groups.spread(shaped(t, node, input, channel_shape(n_groups, shape.size())), 0);
  };
  t.output(node, group_norm(t, node, x, n_groups, per_channel(1), per_channel(2)));
}

// ---- layers -------------------------------------------------------------------------------------------------------

bool wants_output(const Node& node, int place) {
  return node.proto().output_size() > place && !node.proto().output(place).empty();
}

void layer_normalization(Translator& t, const Node& node) {
  const OpId x = t.op(node, 0);
  const Shape shape = t.graph().shape(x);
  const int first = axis_of(node, node.integer("axis", -1), shape.size());
  const std::vector<int> axes = axes_from(first, shape.size());
  const float epsilon = node.number("epsilon", 1e-5F);
  const OpId mean = mean_of(t, node, x, axes);
  const OpId variance = variance_of(t, node, x, mean, axes);
  std::vector<OpId> inputs = {x, mean, variance, t.op(node, 1)};
  if (node.has_input(2)) inputs.push_back(t.op(node, 2));
  t.output(node, t.add(node, inputs, Normalize{epsilon}));
  if (wants_output(node, 1)) t.output(node, mean, 1);
  if (!wants_output(node, 2)) return;
  const OpId deviation =
      t.add(node, {linear(t, node, variance, 1, epsilon)}, Elementwise{{ActivationKind::sqrt, 0, 0}});
  t.output(node, t.add(node, {deviation}, Elementwise{{ActivationKind::reciprocal, 0, 0}}), 2);
}

void mean_variance_normalization(Translator& t, const Node& node) {
  const OpId x = t.op(node, 0);
  std::vector<int> axes;
  for (const std::int64_t axis : node.integers("axes").value_or(std::vector<std::int64_t>{0, 2, 3}))
    axes.push_back(axis_of(node, axis, t.graph().shape(x).size()));
  std::sort(axes.begin(), axes.end());
  const OpId mean = mean_of(t, node, x, axes);
  // ONNX adds 1e-9 to the deviation, which matters only where that is 0.
  t.output(node, t.add(node, {x, mean, variance_of(t, node, x, mean, axes)}, Normalize{1e-18F}));
}

void lp_normalization(Translator& t, const Node& node) {
  const OpId x = t.op(node, 0);
  const std::int64_t p = node.integer("p", 2);
  if (p != 1 && p != 2) throw node.error("p is " + std::to_string(p) + ", expected 1 or 2");
  const int axis = axis_of(node, node.integer("axis", -1), t.graph().shape(x).size());
  const OpId norm = t.add(node, {x}, Reduce{p == 1 ? GenericReduceKind::l1 : GenericReduceKind::l2, {axis}});
  t.output(node, t.add(node, {x, norm}, Binary{BinaryKind::div, {}}));
}

// ---- batches ------------------------------------------------------------------------------------------------------

bool all_known(const Translator& t, const Node& node, int first, int last) {
  for (int i = first; i <= last; ++i)
    if (t.constant(node, i) == nullptr) return false;
  return true;
}

// Constants become one factor and one summand per channel.
OpId scaled_by_constants(Translator& t, const Node& node, OpId x) {
  const Index c = t.graph().shape(x)[1];
  for (int i = 1; i <= 4; ++i)
    if (!t.known(node, i).is_floats() || t.known(node, i).size() != c)
      throw node.error("input " + std::to_string(i) + " has shape " + to_string(t.known(node, i).shape) +
                       ", expected " + std::to_string(c) + " floats");
  std::vector<float> scale;
  std::vector<float> shift;
  for (Index i = 0; i < c; ++i) {
    const auto value = [&](int input) { return t.known(node, input).at(i); };
    const double factor = value(1) / std::sqrt(value(4) + node.number("epsilon", 1e-5F));
    scale.push_back(static_cast<float>(factor));
    shift.push_back(static_cast<float>(value(2) - value(3) * factor));
  }
  ScaleShift attributes;
  attributes.scale = t.weight(node.name() + "/scale", {c}, Blob::copy_of(scale));
  attributes.shift = t.weight(node.name() + "/shift", {c}, Blob::copy_of(shift));
  return t.add(node, {x}, attributes);
}

// Statistics of the batch itself, and the running ones: old * momentum + new * (1 - momentum).
void normalise_batch(Translator& t, const Node& node, OpId x, const Shape& per_channel) {
  const std::size_t rank = t.graph().shape(x).size();
  std::vector<int> axes = axes_from(2, rank);
  axes.insert(axes.begin(), 0);
  const OpId mean = mean_of(t, node, x, axes);
  const OpId variance = variance_of(t, node, x, mean, axes);
  const std::vector<OpId> inputs = {x, mean, variance, shaped(t, node, 1, per_channel),
                                    shaped(t, node, 2, per_channel)};
  t.output(node, t.add(node, inputs, Normalize{node.number("epsilon", 1e-5F)}));
  const float momentum = node.number("momentum", 0.9F);
  for (int place = 1; place <= 2; ++place) {
    if (!wants_output(node, place)) continue;
    const Shape list = {per_channel.front()};
    const OpId old = linear(t, node, shaped(t, node, 2 + place, list), momentum, 0);
    const OpId now = t.reshape(node, linear(t, node, place == 1 ? mean : variance, 1 - momentum, 0), list);
    t.output(node, t.add(node, {old, now}, Binary{BinaryKind::add, {}}), place);
  }
}

void batch_normalization(Translator& t, const Node& node) {
  const OpId x = t.op(node, 0);
  const Shape shape = channels_first(t, node, x, 2);
  if (node.integer("spatial", 1) == 0) throw node.not_in_graph("statistics per cell are not supported");
  const Shape per_channel = channel_shape(shape[1], shape.size());
  const bool training = node.opset() < 7 ? node.integer("is_test", 0) == 0 : node.integer("training_mode", 0) != 0;
  if (training) return normalise_batch(t, node, x, per_channel);
  if (all_known(t, node, 1, 4)) return t.output(node, scaled_by_constants(t, node, x));
  const std::vector<OpId> inputs = {x, shaped(t, node, 3, per_channel), shaped(t, node, 4, per_channel),
                                    shaped(t, node, 1, per_channel), shaped(t, node, 2, per_channel)};
  t.output(node, t.add(node, inputs, Normalize{node.number("epsilon", 1e-5F)}));
}

}  // namespace

const std::map<std::string, Translation>& norm_translations() {
  static const std::map<std::string, Translation> table = {{"BatchNormalization", batch_normalization},
                                                           {"GroupNormalization", group_normalization},
                                                           {"InstanceNormalization", instance_normalization},
                                                           {"LayerNormalization", layer_normalization},
                                                           {"LpNormalization", lp_normalization},
                                                           {"MeanVarianceNormalization", mean_variance_normalization}};
  return table;
}

}  // namespace strake::onnx_import

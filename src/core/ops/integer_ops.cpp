// SPDX-License-Identifier: Apache-2.0
#include "core/ops/integer_ops.hpp"

#include "core/ops/conv_rules.hpp"

namespace strake {

namespace {

// Of this type, with one value for each of `m` channels, or one for all where `one` allows it.
void check_weight(const OpRules& rules, int id, ElementType type, Index m, Index least) {
  if (id == no_weight) return;
  const Weight& weight = rules.weight(id);
  rules.require(weight.type == type, "a weight of " + name_of(type), name_of(weight.type));
  rules.require(volume(weight.shape) == m || volume(weight.shape) == least,
                std::to_string(m) + " values for its channels", to_string(weight.shape));
}

void check_residual(const OpRules& rules, const IntegerConv& conv, const Shape& dst) {
  if (conv.residuals.empty()) return;
  rules.require(conv.residuals.size() == 1 && conv.to != ElementType::i32, "at most one residual, with a scale",
                std::to_string(conv.residuals.size()));
  rules.require(rules.src(2) == dst, "a residual " + to_string(dst), to_string(rules.src(2)));
}

}  // namespace

Shape shape_of(const OpRules& rules, const IntegerConv& conv) {
  rules.expect_inputs(2 + conv.residuals.size(), 2 + conv.residuals.size());
  rules.require(volume(rules.src(1)) == 1, "one zero point", to_string(rules.src(1)));
  const Weight& weights = rules.weight(conv.weights);
  Shape dst = conv_shape(rules, conv.window, conv.groups, weights.shape);
  check_weight(rules, conv.weight_zeros, weights.type, dst[1], 1);
  check_weight(rules, conv.bias, ElementType::i32, dst[1], dst[1]);
  check_weight(rules, conv.scale, ElementType::f32, dst[1], dst[1]);
  check_weight(rules, conv.shift, ElementType::f32, dst[1], dst[1]);
  check_residual(rules, conv, dst);
  return dst;
}

ElementType type_of(const OpRules& rules, const IntegerConv& conv) {
  const ElementType weights = rules.weight(conv.weights).type;
  rules.require(is_byte(rules.src_type()) && is_byte(weights), "maps and weights of 8-bit integers",
                name_of(rules.src_type()) + " and " + name_of(weights));
  rules.expect_type(1, rules.src_type());
  if (!conv.residuals.empty())
    rules.require(is_byte(rules.src_type(2)), "a residual of 8-bit integers", name_of(rules.src_type(2)));
  const bool known = conv.scale == no_weight ? conv.to == ElementType::i32 && conv.shift == no_weight
                                             : conv.to == ElementType::f32 || is_byte(conv.to);
  rules.require(known, "sums as int32, or scaled as float32, uint8 or int8", name_of(conv.to));
  if (is_byte(conv.to)) {
    const ByteRange range = range_of(conv.to);
    rules.require(conv.low >= range.low && conv.low <= conv.high && conv.high <= range.high,
                  "bounds that " + name_of(conv.to) + " can hold",
                  std::to_string(conv.low) + " to " + std::to_string(conv.high));
  }
  return conv.to;
}

std::vector<Box> reads(const OpRules& rules, const IntegerConv& conv, const Box& dst) {
  std::vector<Box> boxes = {conv_reads(rules, conv.window, conv.groups, dst), whole(rules.src(1))};
  boxes.resize(rules.n_inputs(), dst);
  return boxes;
}

bool cuts_along(const OpRules& rules, const IntegerConv& conv, std::size_t axis) {
  return conv_cuts_along(rules, conv.groups, axis);
}

}  // namespace strake

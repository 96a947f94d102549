// SPDX-License-Identifier: Apache-2.0
#include "core/ops/reduce_ops.hpp"

#include <algorithm>

#include "core/op_rules.hpp"
#include "core/shape_inference.hpp"

namespace strake {

namespace {

bool has_axis(const std::vector<int>& axes, std::size_t axis) {
  return std::find(axes.begin(), axes.end(), static_cast<int>(axis)) != axes.end();
}

// The box with the whole of the source on one axis.
Box along(const OpRules& rules, const Box& dst, int axis) {
  const auto at = static_cast<std::size_t>(axis);
  return with_axis(dst, at, {0, rules.src()[at]});
}

Shape one_input(const OpRules& rules, int axis) {
  rules.expect_inputs(1, 1);
  rules.check_axis(axis, rules.src());
  return rules.src();
}

bool is_ordered(ElementType type) {
  return type != ElementType::boolean && type != ElementType::f16 && type != ElementType::bf16;
}

}  // namespace

// ---- Reduce -------------------------------------------------------------------------------------------------------

Shape shape_of(const OpRules& rules, const Reduce& reduce) {
  rules.expect_inputs(1, 2);
  Shape dst = rules.src();
  for (std::size_t i = 0; i < reduce.axes.size(); ++i) {
    const int axis = reduce.axes[i];
    rules.check_axis(axis, dst);
    const auto before = reduce.axes.begin() + static_cast<std::ptrdiff_t>(i);
    rules.require(std::find(reduce.axes.begin(), before, axis) == before, "each axis once",
                  "axis " + std::to_string(axis) + " twice");
    dst[static_cast<std::size_t>(axis)] = 1;
  }
  if (rules.n_inputs() == 2)
    rules.require(broadcast(rules.src(1), dst) == dst, "a centre that broadcasts to " + to_string(dst),
                  to_string(rules.src(1)));
  return dst;
}

ElementType type_of(const OpRules& rules, const Reduce& reduce) {
  const ElementType type = rules.src_type();
  rules.require(is_ordered(type), "numbers to reduce", std::string(to_string(type)));
  const bool fraction = reduce.kind == GenericReduceKind::mean_square || rules.n_inputs() == 2;
  rules.require(!fraction || type == ElementType::f32 || type == ElementType::f64, "floats",
                std::string(to_string(type)));
  if (rules.n_inputs() == 2) rules.expect_type(1, type);
  return type;
}

std::vector<Box> reads(const OpRules& rules, const Reduce& reduce, const Box& dst) {
  Box box = dst;
  for (const int axis : reduce.axes) box = along(rules, box, axis);
  if (rules.n_inputs() == 1) return {box};
  return {box, broadcast_box(rules.src(1), dst)};
}

bool cuts_along(const OpRules& /*rules*/, const Reduce& reduce, std::size_t axis) {
  return !has_axis(reduce.axes, axis);
}

int strip_axis(const OpRules& /*rules*/, const Reduce& /*reduce*/, const std::vector<int>& axes) {
  return axes.front();  // a centre follows the map, never the other way round
}

// ---- ArgReduce ----------------------------------------------------------------------------------------------------

Shape shape_of(const OpRules& rules, const ArgReduce& arg) {
  Shape shape = one_input(rules, arg.axis);
  shape[static_cast<std::size_t>(arg.axis)] = 1;
  return shape;
}

ElementType type_of(const OpRules& rules, const ArgReduce& /*arg*/) {
  rules.require(is_ordered(rules.src_type()), "numbers to compare", std::string(to_string(rules.src_type())));
  return ElementType::i64;
}

std::vector<Box> reads(const OpRules& rules, const ArgReduce& arg, const Box& dst) {
  return {along(rules, dst, arg.axis)};
}

bool cuts_along(const OpRules& /*rules*/, const ArgReduce& arg, std::size_t axis) {
  return axis != static_cast<std::size_t>(arg.axis);
}

// ---- Softmax ------------------------------------------------------------------------------------------------------

Shape shape_of(const OpRules& rules, const Softmax& softmax) { return one_input(rules, softmax.axis); }

ElementType type_of(const OpRules& rules, const Softmax& /*softmax*/) {
  const ElementType type = rules.src_type();
  rules.require(type == ElementType::f32 || type == ElementType::f64, "floats", std::string(to_string(type)));
  return type;
}

std::vector<Box> reads(const OpRules& rules, const Softmax& softmax, const Box& dst) {
  return {along(rules, dst, softmax.axis)};
}

bool cuts_along(const OpRules& /*rules*/, const Softmax& softmax, std::size_t axis) {
  return axis != static_cast<std::size_t>(softmax.axis);
}

// ---- CumSum -------------------------------------------------------------------------------------------------------

Shape shape_of(const OpRules& rules, const CumSum& sum) {
  Shape shape = one_input(rules, sum.axis);
  rules.require(is_ordered(rules.src_type()), "numbers to add", std::string(to_string(rules.src_type())));
  return shape;
}

std::vector<Box> reads(const OpRules& rules, const CumSum& sum, const Box& dst) {
  return {along(rules, dst, sum.axis)};
}

bool cuts_along(const OpRules& /*rules*/, const CumSum& sum, std::size_t axis) {
  return axis != static_cast<std::size_t>(sum.axis);
}

}  // namespace strake

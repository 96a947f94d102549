// SPDX-License-Identifier: Apache-2.0
#include "core/ops/pointwise.hpp"

#include "core/op_rules.hpp"
#include "core/shape_inference.hpp"

namespace strake {

std::size_t arity(PointwiseKind kind) {
  if (kind >= PointwiseKind::where) return 3;
  return kind >= PointwiseKind::bit_not ? 1 : 2;
}

// ---- Pointwise ----------------------------------------------------------------------------------------------------

namespace {

bool is_integer(ElementType type) { return !is_float(type) && type != ElementType::boolean; }

bool is_one_of(PointwiseKind kind, PointwiseKind first, PointwiseKind last) { return kind >= first && kind <= last; }

// What the kind computes with, where that is not every type.
void check_operand_type(const OpRules& rules, PointwiseKind kind, ElementType type) {
  using enum PointwiseKind;
  const auto expect = [&](bool holds, const char* what) { rules.require(holds, what, name_of(type)); };
  const bool numbers = is_one_of(kind, add, pow) || is_one_of(kind, less, greater_or_equal) || kind == clip;
  if (numbers) expect(type != ElementType::boolean, "numbers");
  if (is_one_of(kind, shift_left, bit_xor) || kind == bit_not) expect(is_integer(type), "integers");
  if (is_one_of(kind, logical_and, logical_xor) || kind == logical_not)
    expect(type == ElementType::boolean, "booleans");
  if (is_one_of(kind, is_nan, is_negative_inf)) expect(is_float(type), "floats");
}

ElementType quantized_type(const OpRules& rules, PointwiseKind kind) {
  const bool narrows = kind == PointwiseKind::quantize;
  const ElementType zero = rules.src_type(2);
  rules.expect_type(1, ElementType::f32);
  if (narrows) {
    rules.expect_type(0, ElementType::f32);
    rules.require(is_integer(zero) && size_of(zero) <= 2, "a zero point of 8 or 16 bits", name_of(zero));
  } else {
    rules.require(is_integer(zero) && size_of(zero) <= 4, "integers of up to 32 bits", name_of(zero));
    rules.expect_type(0, zero);
  }
  return narrows ? zero : ElementType::f32;
}

}  // namespace

Shape shape_of(const OpRules& rules, const Pointwise& op) {
  rules.expect_inputs(arity(op.kind), arity(op.kind));
  Shape all = rules.src();
  for (std::size_t i = 1; i < rules.n_inputs(); ++i) {
    const std::optional<Shape> both = broadcast(all, rules.src(i));
    rules.require(both.has_value(), "inputs that broadcast to one shape",
                  to_string(all) + " and " + to_string(rules.src(i)));
    all = *both;
  }
  return all;
}

ElementType type_of(const OpRules& rules, const Pointwise& op) {
  using enum PointwiseKind;
  check_operand_type(rules, op.kind, rules.src_type());
  if (op.kind == where) {
    rules.expect_type(0, ElementType::boolean);
    rules.expect_type(2, rules.src_type(1));
    return rules.src_type(1);
  }
  if (op.kind == pow) {
    rules.require(rules.src_type(1) != ElementType::boolean, "numbers", name_of(rules.src_type(1)));
    return rules.src_type();
  }
  if (op.kind == quantize || op.kind == dequantize) return quantized_type(rules, op.kind);
  for (std::size_t i = 1; i < rules.n_inputs(); ++i) rules.expect_type(i, rules.src_type());
  if (op.kind == cast) return op.to == ElementType::f16 || op.to == ElementType::bf16 ? ElementType::f32 : op.to;
  const bool asks =
      is_one_of(op.kind, logical_and, greater_or_equal) || is_one_of(op.kind, logical_not, is_negative_inf);
  return asks ? ElementType::boolean : rules.src_type();
}

std::vector<Box> reads(const OpRules& rules, const Pointwise&, const Box& dst) {
  std::vector<Box> boxes;
  for (std::size_t i = 0; i < rules.n_inputs(); ++i) boxes.push_back(broadcast_box(rules.src(i), dst));
  return boxes;
}

bool cuts_along(const OpRules& rules, const Pointwise&, std::size_t axis) { return rules.op().shape[axis] > 1; }

// ---- Expand -------------------------------------------------------------------------------------------------------

Shape shape_of(const OpRules& rules, const Expand&) {
  rules.expect_inputs(1, 1);
  const Shape& wanted = rules.op().shape;
  rules.require(broadcast(rules.src(), wanted) == wanted, "a shape that " + to_string(rules.src()) + " broadcasts to",
                to_string(wanted));
  return wanted;
}

std::vector<Box> reads(const OpRules& rules, const Expand&, const Box& dst) {
  return {broadcast_box(rules.src(), dst)};
}

// ---- Tile ---------------------------------------------------------------------------------------------------------

Shape shape_of(const OpRules& rules, const Tile& op) {
  rules.expect_inputs(1, 1);
  Shape shape = rules.src();
  rules.require(op.repeats.size() == shape.size(), "a number of repeats for each axis of " + to_string(shape),
                std::to_string(op.repeats.size()));
  constexpr Index most = Index{1} << 48;  // as `infer_shape` allows; no product of sizes overflows then
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    rules.require(op.repeats[axis] >= 1 && op.repeats[axis] <= most / shape[axis], "repeats of at least 1 that fit",
                  std::to_string(op.repeats[axis]));
    shape[axis] *= op.repeats[axis];
  }
  return shape;
}

std::vector<Box> reads(const OpRules& rules, const Tile&, const Box& dst) {
  Box box = whole(rules.src());
  for (std::size_t axis = 0; axis < box.rank(); ++axis) {
    const Index size = rules.src()[axis];
    const Index first = dst[axis].begin / size;
    // A stretch that goes over the end of a copy reads that end and the beginning: all, since intervals do not wrap.
    if (first == (dst[axis].end - 1) / size) box[axis] = {dst[axis].begin - first * size, dst[axis].end - first * size};
  }
  return {box};
}

// ---- Trilu --------------------------------------------------------------------------------------------------------

Shape shape_of(const OpRules& rules, const Trilu&) {
  rules.expect_inputs(1, 1);
  rules.require(rules.src().size() >= 2, "matrices", to_string(rules.src()));
  return rules.src();
}

std::vector<Box> reads(const OpRules&, const Trilu&, const Box& dst) { return {dst}; }

}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#include "core/ops/product_ops.hpp"

#include "core/op_rules.hpp"
#include "core/shape_inference.hpp"

namespace strake {

Shape shape_of(const OpRules& rules, const MatMul& /*product*/) {
  rules.expect_inputs(2, 2);
  const Shape& a = rules.src(0);
  const Shape& b = rules.src(1);
  const std::string shapes = to_string(a) + " and " + to_string(b);
  rules.require(a.size() >= 2 && b.size() >= 2, "two inputs with two axes or more", shapes);
  rules.require(a.back() == b[b.size() - 2], "inputs (..., m, k) and (..., k, n)", shapes);
  std::optional<Shape> dst = broadcast(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  rules.require(dst.has_value(), "leading axes that broadcast", shapes);
  dst->push_back(a[a.size() - 2]);
  dst->push_back(b.back());
  return *dst;
}

ElementType type_of(const OpRules& rules, const MatMul& /*product*/) {
  const ElementType type = rules.src_type();
  const bool known = type == ElementType::f32 || type == ElementType::f64 || type == ElementType::i32 ||
                     type == ElementType::i64 || type == ElementType::u32 || type == ElementType::u64;
  rules.require(known, "matrices of floats or of integers with 32 or 64 bits", std::string(to_string(type)));
  rules.expect_type(1, type);
  return type;
}

std::vector<Box> reads(const OpRules& rules, const MatMul& /*product*/, const Box& dst) {
  const std::size_t rank = dst.rank();
  std::vector<Box> boxes;
  for (std::size_t i = 0; i < 2; ++i) {
    // Leading axes broadcast; (m, k) of the first and (k, n) of the second replace (m, n).
    const std::size_t summed = i == 0 ? rank - 1 : rank - 2;
    boxes.push_back(broadcast_box(rules.src(i), with_axis(dst, summed, {0, rules.src(0).back()})));
  }
  return boxes;
}

int strip_axis(const OpRules& rules, const MatMul& /*product*/, const std::vector<int>& axes) {
  const int last = static_cast<int>(rules.op().shape.size()) - 1;
  if (axes[0] >= 0 && axes[0] != last) return axes[0];
  // Columns of the second; its rows are what is summed over, and its leading axes alone are not worth a gather.
  return axes[1] == last ? last : -1;
}

}  // namespace strake

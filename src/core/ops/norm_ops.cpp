// SPDX-License-Identifier: Apache-2.0
#include "core/ops/norm_ops.hpp"

#include "core/op_rules.hpp"
#include "core/shape_inference.hpp"

namespace strake {

Shape shape_of(const OpRules& rules, const Normalize& normalize) {
  rules.expect_inputs(3, 5);
  const Shape& x = rules.src();
  for (std::size_t i = 0; i < rules.n_inputs(); ++i) {
    rules.expect_type(i, ElementType::f32);
    rules.require(broadcast(rules.src(i), x) == x, "inputs that broadcast to " + to_string(x), to_string(rules.src(i)));
  }
  rules.require(normalize.epsilon >= 0, "an epsilon of at least 0", std::to_string(normalize.epsilon));
  return x;
}

std::vector<Box> reads(const OpRules& rules, const Normalize& /*normalize*/, const Box& dst) {
  std::vector<Box> boxes;
  for (std::size_t i = 0; i < rules.n_inputs(); ++i) boxes.push_back(broadcast_box(rules.src(i), dst));
  return boxes;
}

bool cuts_along(const OpRules& rules, const Normalize& /*normalize*/, std::size_t axis) {
  return rules.src()[axis] > 1;
}

int strip_axis(const OpRules& /*rules*/, const Normalize& /*normalize*/, const std::vector<int>& axes) {
  return axes.front();  // statistics follow the map, never the other way round
}

}  // namespace strake

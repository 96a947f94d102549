// SPDX-License-Identifier: Apache-2.0
#include "core/ops/conv_rules.hpp"

namespace strake {

Shape conv_shape(const OpRules& rules, const Window2d& window, Index groups, const Shape& weights) {
  const Shape& src = rules.src();
  rules.require(src.size() == 4, "a feature map (n, c, h, w)", to_string(src));
  rules.require(weights.size() == 4, "weights (m, c / groups, kh, kw)", to_string(weights));
  rules.require(
      groups >= 1 && src[1] % groups == 0 && weights[0] % groups == 0,
      "groups that divide " + std::to_string(src[1]) + " input and " + std::to_string(weights[0]) + " output channels",
      std::to_string(groups));
  const Shape expected = {weights[0], src[1] / groups, window.h.kernel, window.w.kernel};
  rules.require(weights == expected, "weights " + to_string(expected) + " for input " + to_string(src),
                to_string(weights));
  return {src[0], weights[0], rules.window_size(window.h, src[2]), rules.window_size(window.w, src[3])};
}

Box conv_reads(const OpRules& rules, const Window2d& window, Index groups, const Box& dst) {
  const Shape& src = rules.src();
  const Index src_per_group = src[1] / groups;
  const Index dst_per_group = rules.op().shape[1] / groups;
  const Interval channels{dst[1].begin / dst_per_group * src_per_group,
                          ((dst[1].end - 1) / dst_per_group + 1) * src_per_group};
  return {{dst[0], channels, input_interval(window.h, dst[2], src[2]), input_interval(window.w, dst[3], src[3])}};
}

bool conv_cuts_along(const OpRules& rules, Index groups, std::size_t axis) {
  const bool depthwise = groups == rules.op().shape[1] && groups == rules.src()[1];
  return axis != 1 || groups == 1 || depthwise;
}

}  // namespace strake

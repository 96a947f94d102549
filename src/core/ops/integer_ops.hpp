// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Convolutions of 8-bit integers.

#include <limits>
#include <vector>

#include "core/box.hpp"
#include "core/element_type.hpp"
#include "core/window.hpp"

namespace strake {

class OpRules;

/// What a quantised map brings to the result of a convolution: (r - zero) * scale of each cell.
struct QuantizedResidual {
  float zero = 0;
  float scale = 1;
  // Where the result was quantised before it met the residual: it becomes min(max(round(v), low), high) * step first.
  // Not where `step` is 0.
  float step = 0;
  float low = 0;
  float high = 0;
  static void fields(auto& self, auto&& visit) { visit(self.zero, self.scale, self.step, self.low, self.high); }
};

/// Inputs: x (n, c, h, w) of u8 or i8, its zero point (one number of that type) and perhaps a residual of u8 or i8 of
/// the output's shape. Output (n, m, oh, ow):
///
///     sum = bias[m] + sum over the window of (x - zero point) * (weights - weight_zeros), modulo 2^32
///     v   = sum * scale[m] + shift[m], in f32, then the residual
///
/// of type i32 the sum; f32: min(max(v, low), high); u8, i8: min(max(round(v) + zero, low), high), half to even.
/// Padding counts as the zero point. The same bits however the output is cut.
/// Source: ONNX operators ConvInteger-10 and QLinearConv-10.
struct IntegerConv {
  Window2d window;
  Index groups = 1;
  int weights = -1;                          // (m, c / groups, kh, kw) of i8 or u8
  int weight_zeros = -1;                     // of the weights' type, 1 or m; none for zeros
  int bias = -1;                             // i32, m
  int scale = -1;                            // f32, m; none for i32
  int shift = -1;                            // f32, m
  std::vector<QuantizedResidual> residuals;  // at most one, not for i32
  ElementType to = ElementType::i32;
  float zero = 0;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  static void fields(auto& self, auto&& visit) {
    visit(self.window, self.groups, self.weights, self.weight_zeros, self.bias, self.scale, self.shift, self.residuals,
          self.to, self.zero, self.low, self.high);
  }
};

/// The lowest and the highest number of u8 or i8.
struct ByteRange {
  float low;
  float high;
};
[[nodiscard]] constexpr ByteRange range_of(ElementType type) {
  return type == ElementType::u8 ? ByteRange{0, 255} : ByteRange{-128, 127};
}
[[nodiscard]] constexpr bool is_byte(ElementType type) { return type == ElementType::u8 || type == ElementType::i8; }

[[nodiscard]] Shape shape_of(const OpRules& rules, const IntegerConv& conv);
[[nodiscard]] ElementType type_of(const OpRules& rules, const IntegerConv& conv);
[[nodiscard]] std::vector<Box> reads(const OpRules& rules, const IntegerConv& conv, const Box& dst);
[[nodiscard]] bool cuts_along(const OpRules& rules, const IntegerConv& conv, std::size_t axis);

/// Calls `visit` with each number of a weight, -1 included.
void for_each_weight(auto& conv, auto&& visit) requires requires { conv.weight_zeros; }
{
  for (auto* id : {&conv.weights, &conv.weight_zeros, &conv.bias, &conv.scale, &conv.shift}) visit(*id);
}

}  // namespace strake

// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Operators that compute each cell from the cell of each input that broadcasting puts there, for elements of any type,
/// and those that only repeat or blank cells.
///
/// Elementwise and Binary are the fast f32 half of this family: rewrites fuse them, so importers use them where they
/// can.

#include <vector>

#include "core/box.hpp"
#include "core/element_type.hpp"

namespace strake {

class OpRules;

enum class PointwiseKind : unsigned char {
  // Two inputs of one type. Integers wrap around; division by 0 gives 0.
  add,
  sub,
  mul,
  div,   // integers towards 0
  mod,   // has the sign of the divisor, as in Python
  fmod,  // has the sign of the dividend, as in C
  max,
  min,
  prelu,  // x < 0 ? slope x : x
  pow,    // the exponent may be of another type; the result has the type of the base
  // Two integers.
  shift_left,
  shift_right,
  bit_and,
  bit_or,
  bit_xor,
  // Two booleans to a boolean.
  logical_and,
  logical_or,
  logical_xor,
  // Two inputs of one type to a boolean.
  equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  // One input.
  bit_not,
  logical_not,
  is_nan,
  is_inf,
  is_positive_inf,
  is_negative_inf,
  cast,  // to type `to`: floats to integers truncate and saturate, integers wrap, NaN becomes 0; f16 and bf16 round
         // only
  // Three inputs.
  where,  // condition ? x : y
  clip,   // min(max(x, low), high)
  // x, an f32 scale and a zero point.
  quantize,    // f32 to the zero point's type, 8 or 16 bits: round(x / scale) + zero, half to even, saturated
  dequantize,  // integers to f32: (x - zero) * scale; the zero point has the type of x
};

struct Pointwise {
  PointwiseKind kind = PointwiseKind::add;
  ElementType to = ElementType::f32;  // of a cast
  static void fields(auto& self, auto&& visit) { visit(self.kind, self.to); }
  friend bool operator==(const Pointwise&, const Pointwise&) = default;
};

/// The input broadcast to the operator's own shape.
struct Expand {
  static void fields(auto&, auto&&) {}
};

/// The input `repeats[a]` times one behind the other along each axis a.
struct Tile {
  std::vector<Index> repeats;
  static void fields(auto& self, auto&& visit) { visit(self.repeats); }
};

enum class Triangle : unsigned char { lower, upper };

/// Each matrix (the last two axes) with zeros beyond its `diagonal`: upper keeps column - row >= diagonal, lower <=.
struct Trilu {
  Triangle part = Triangle::upper;
  Index diagonal = 0;
  static void fields(auto& self, auto&& visit) { visit(self.part, self.diagonal); }
};

/// How many inputs a kind takes: 1 to 3.
[[nodiscard]] std::size_t arity(PointwiseKind kind);

Shape shape_of(const OpRules& rules, const Pointwise& op);
ElementType type_of(const OpRules& rules, const Pointwise& op);
std::vector<Box> reads(const OpRules& rules, const Pointwise& op, const Box& dst);
bool cuts_along(const OpRules& rules, const Pointwise& op, std::size_t axis);

Shape shape_of(const OpRules& rules, const Expand& op);
std::vector<Box> reads(const OpRules& rules, const Expand& op, const Box& dst);

Shape shape_of(const OpRules& rules, const Tile& op);
std::vector<Box> reads(const OpRules& rules, const Tile& op, const Box& dst);

Shape shape_of(const OpRules& rules, const Trilu& op);
std::vector<Box> reads(const OpRules& rules, const Trilu& op, const Box& dst);

}  // namespace strake
